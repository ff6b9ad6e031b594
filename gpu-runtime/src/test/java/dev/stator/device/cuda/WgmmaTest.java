package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products by the matrix instruction of a warpgroup, and the emulation of what they use. */
class WgmmaTest {
  /** The bits of prefill on mma, on an emulated device or a real one of compute capability 9.0. */
  @Nested
  class Products {
    private final DeviceArrays device = new DeviceArrays(CudaTests.openHopper());

    @AfterEach
    void release() {
      device.close();
    }

    @ParameterizedTest
    @CsvSource({
      // Ranges of one chunk and of three, rows and tokens that end within a tile, several blocks.
      "BF16, 136, 160, 257",
      "BF16, 17, 2336, 5",
      "BF16, 300, 64, 30",
      "Q8_0, 72, 416, 256",
      "Q4_K, 128, 768, 40",
      "Q6_K, 33, 512, 300",
    })
    void shouldHaveTheBitsOfPrefill(WeightType type, int rows, int columns, int tokens) {
      final Random random = new Random(rows);
      final WeightMatrix matrix =
          RandomWeights.matrix("weights", type, rows, columns, 0.05, random);
      final RepackedMatrix repacked = new RepackedMatrix(device, matrix);
      final short[] x =
          RepackedMatrix.bf16Bits(RandomWeights.activations(tokens * columns, random));
      final int stride = rows + 3;
      final var epilogue =
          new RepackedMatrix.Epilogue(
              tokens % 2 == 0 ? null : RandomWeights.activations(rows, random),
              rows % 2 == 0 ? null : RandomWeights.activations(tokens * stride, random),
              stride);
      assertArrayEquals(
          RepackedMatrix.bits(repacked.multiply(repacked.prefill(tokens), x, epilogue)),
          RepackedMatrix.bits(repacked.multiplyPacked(x, epilogue)));
    }

    @Test
    void shouldNotLetATokenSeeItsNeighboursWhenTheyAreNotNumbers() {
      final int columns = 160;
      final Random random = new Random(1);
      final WeightMatrix matrix =
          RandomWeights.matrix("weights", WeightType.BF16, 16, columns, 0.05, random);
      final RepackedMatrix repacked = new RepackedMatrix(device, matrix);
      final short[] x = RepackedMatrix.bf16Bits(RandomWeights.activations(9 * columns, random));
      final var epilogue = RepackedMatrix.Epilogue.none(16);
      final float[] expected = repacked.multiplyPacked(x, epilogue);
      for (int i = 0; i < x.length; i++) if (i / columns != 4) x[i] = 0x7F80;
      final float[] actual = repacked.multiplyPacked(x, epilogue);
      for (int i = 0; i < actual.length; i++) {
        if (i / 16 == 4) assertEquals(expected[i], actual[i]);
        else assertTrue(!Float.isFinite(actual[i]));
      }
    }
  }

  @Nested
  class Emulation {
    private static final int ROWS = 64;
    private static final int DEPTH = 16;
    private static final int TOKENS = 16;
    private static final int BYTES = 2048;

    private final DeviceArrays device =
        new DeviceArrays(CudaTests.emulated(EmulatedDriver.Kind.HOPPER));
    private final Random random = new Random(4);
    private final float[] a = new float[ROWS * DEPTH];
    private final float[] b = new float[TOKENS * DEPTH];

    @AfterEach
    void release() {
      device.close();
    }

    /**
     * @param place of 16 bytes, 8 values of k, in shared memory: (token, which eight) to bytes
     */
    private float[] multiply(
        int mode, int ofEight, int ofTokens, IntBinaryOperator place, int mistake) {
      final MemorySegment bytes = MemorySegment.ofArray(new long[BYTES / Long.BYTES]);
      for (int i = 0; i < a.length; i++) a[i] = RepackedMatrix.bf16(random.nextGaussian());
      for (int i = 0; i < b.length; i++) {
        b[i] = RepackedMatrix.bf16(random.nextGaussian());
        final int at = place.applyAsInt(i / DEPTH, i % DEPTH / 8) + i % 8 * Short.BYTES;
        bytes.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, RepackedMatrix.bf16Bits(b[i])[0]);
      }
      final long to = device.room(4L * ROWS * TOKENS);
      final long weights = device.halves(RepackedMatrix.bf16Bits(a));
      final long tokens = device.bytes(bytes);
      device.launch(
          "check_wgmma",
          1,
          1,
          128,
          1024 + BYTES + 16,
          params ->
              params
                  .address(weights)
                  .address(tokens)
                  .address(to)
                  .int32(BYTES)
                  .int32(mode)
                  .int32(ofEight)
                  .int32(ofTokens)
                  .int32(mistake));
      return device.readFloats(to, ROWS * TOKENS);
    }

    private float[] multiply(int mistake) {
      return multiply(0, 128, 256, (token, eight) -> plain(token, eight, 128, 256), mistake);
    }

    private static int plain(int token, int eight, int ofEight, int ofTokens) {
      return token / 8 * ofTokens + token % 8 * 16 + eight * ofEight;
    }

    private void check(float[] d) {
      for (int i = 0; i < d.length; i++) {
        double sum = 0;
        for (int k = 0; k < DEPTH; k++) {
          sum += (double) a[i / TOKENS * DEPTH + k] * b[i % TOKENS * DEPTH + k];
        }
        assertEquals((float) (1 + sum), d[i], "row " + i / TOKENS + " token " + i % TOKENS);
      }
    }

    /** Pieces of 16 bytes, as the PTX ISA's canonical layouts for matrices with k side by side. */
    @ParameterizedTest
    @CsvSource({"128, 256", "256, 128", "1024, 144"})
    void shouldReadCoreMatricesWhereTheDescriptorSays(int ofEight, int ofTokens) {
      check(
          multiply(
              0, ofEight, ofTokens, (token, eight) -> plain(token, eight, ofEight, ofTokens), 0));
    }

    @ParameterizedTest
    @CsvSource({"1, 128", "2, 64", "3, 32"})
    void shouldReadSwizzledRows(int mode, int rowBytes) {
      // A row's pieces are counted from the row's number in its repeating 128 bytes of lines.
      check(
          multiply(
              mode,
              16,
              8 * rowBytes,
              (token, eight) -> {
                final int line = token * rowBytes / 128;
                return token * rowBytes + (eight ^ line % (rowBytes / 16)) * 16;
              },
              0));
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "1 | without wgmma_fence",
          "3 | thread 0 of a warpgroup changes its fragment before wgmma_wait",
          "4 | thread 0 of a warpgroup changes accumulators before wgmma_wait",
          "5 | of shared memory, which thread 0 writes, with no barrier in between",
          "6 | without mbarrier_fence and a barrier behind mbarrier_init",
          "7 | waits at mbarrier_wait of line",
          "8 | which thread 0 writes, with no barrier in between",
        })
    void shouldSayWhatIsWrong(int mistake, String expected) {
      final var failure = assertThrows(CudaException.class, () -> multiply(mistake));
      assertTrue(failure.getMessage().contains(expected), failure.getMessage());
    }

    @Test
    void shouldReadPoisonWhenAProductIsNotWaitedFor() {
      for (float value : multiply(2)) {
        assertEquals(0xCDCDCDCD, Float.floatToRawIntBits(value));
      }
    }
  }
}
