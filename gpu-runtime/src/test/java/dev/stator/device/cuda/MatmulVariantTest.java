package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every variant of a product that is measured: right, if not to the bit. */
class MatmulVariantTest {
  /** Of an output's error to the sum of its products' magnitudes. */
  private static final double ROUNDING = 2e-6;

  private final DeviceArrays device = new DeviceArrays(CudaTests.openHopper());

  @AfterEach
  void release() {
    device.close();
  }

  /** A random product, and its results by any variant. */
  private final class Case {
    private final int tokens;
    private final WeightMatrix matrix;
    private final CudaMatrix onDevice;
    private final short[] x;
    private final float[] before;
    private final Kernels kernels;
    private final Driver.Stream stream;

    private Case(WeightType type, int rows, int columns, int tokens) {
      this.tokens = tokens;
      final Random random = new Random(rows + tokens);
      matrix = RandomWeights.matrix("weights", type, rows, columns, 0.05, random);
      onDevice = new RepackedMatrix(device, matrix).onDevice();
      x = RepackedMatrix.bf16Bits(RandomWeights.activations(tokens * columns, random));
      before = RandomWeights.activations(tokens * rows, random);
      stream = device.driver().newStream();
      kernels = new Kernels(device.driver(), stream);
      kernels.useWgmma(device.room(MatmulShape.packedBytes(columns, tokens)));
    }

    private List<MatmulVariant> candidates() {
      return MatmulVariant.candidates(
          matrix.type(), matrix.rowCount(), matrix.columnCount(), tokens, true);
    }

    private float[] run(MatmulVariant variant, boolean adds) {
      final long out = device.floats(before);
      final long inputs = device.halves(x);
      kernels.product(variant, onDevice, inputs, out, matrix.rowCount(), tokens, adds);
      stream.synchronize();
      return device.readFloats(out, before.length);
    }

    private void check(MatmulVariant variant, boolean adds) {
      final float[] actual = run(variant, adds);
      final int columns = matrix.columnCount();
      for (int row = 0; row < matrix.rowCount(); row++) {
        final float[] weights = RepackedMatrix.dequantized(matrix, row);
        for (int token = 0; token < tokens; token++) {
          final int at = token * matrix.rowCount() + row;
          double sum = adds ? before[at] : 0;
          double magnitude = Math.abs(sum);
          for (int k = 0; k < columns; k++) {
            final double product =
                (double) weights[k] * RepackedMatrix.bf16Value(x[token * columns + k]);
            sum += product;
            magnitude += Math.abs(product);
          }
          final String where = variant.title() + ": token " + token + " row " + row;
          assertEquals(sum, actual[at], ROUNDING * (1 + magnitude), where);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    // Units that parts and ranges share unevenly, rows that end within a tile, tokens of two tiles.
    "BF16, 40, 1184, 3",
    "BF16, 50, 2336, 13",
    "BF16, 33, 800, 64",
    "BF16, 130, 416, 70",
    "Q4_K, 50, 1280, 7",
    "Q4_K, 40, 2816, 20",
    "Q4_K, 130, 768, 65",
  })
  void shouldEqualTheSumOfProductsInFloat64(WeightType type, int rows, int columns, int tokens) {
    final Case on = new Case(type, rows, columns, tokens);
    int free = 0;
    for (MatmulVariant variant : on.candidates()) {
      on.check(variant, free % 2 == 0);
      if (!on.kernels.hasFamilyBits(variant)) free++;
    }
    assertTrue(free > 1);
  }

  @Test
  void shouldGiveTheFamilysBitsWhereItsCutIsTheFamilys() {
    final Case on = new Case(WeightType.BF16, 48, 1024, 8);
    final MatmulVariant family = on.kernels.kernelOf(on.onDevice, on.tokens);
    final int[] bits = RepackedMatrix.bits(on.run(family, false));
    final var four = MatmulVariant.decode(WeightType.BF16, 48, 1024, 8, 8, 4, 1);
    assertEquals(new MatmulVariant.Cut(2, 4, 1), four.cut());
    assertArrayEquals(bits, RepackedMatrix.bits(on.run(four, false)));
    for (MatmulVariant variant : on.candidates()) {
      if (on.kernels.hasFamilyBits(variant)) {
        assertArrayEquals(bits, RepackedMatrix.bits(on.run(variant, false)), variant.title());
      }
    }
  }

  @Test
  void shouldHaveNoEmptyParts() {
    final var variant = MatmulVariant.decode(WeightType.Q4_K, 64, 1280, 1, 8, 2, 8);
    assertEquals(new MatmulVariant.Cut(1, 2, 3), variant.cut());
    assertEquals(3, variant.shape().gridY());
    assertEquals("free_8, 3 x 2 ranges", variant.title());
    assertTrue(variant.isShared());
    assertEquals(
        "decode_8",
        new MatmulVariant(MatmulShape.product(WeightType.F8_E4M3, 64, 256, 1), false, null)
            .title());
  }

  @Test
  void shouldOfferNoOtherCutsOfTypesWithoutSuchKernels() {
    assertFalse(MatmulVariant.isFree(WeightType.Q8_0));
    final var candidates = MatmulVariant.candidates(WeightType.Q8_0, 64, 2048, 64, false);
    assertTrue(candidates.stream().allMatch(each -> each.cut() == null));
    assertFalse(candidates.isEmpty());
  }

  @Test
  void shouldHaveOtherBitsByWgmmaUnlessTheDeviceShowedThatTheyAreTheSame() {
    final var kernels = new Kernels(device.driver(), device.driver().newStream());
    final var matrix = new CudaMatrix(0, WeightType.BF16, 1 << 16, 256);
    final int tokens = 2048;
    final var wgmma =
        new MatmulVariant(MatmulShape.wgmma(WeightType.BF16, 1 << 16, 256, tokens), true, null);
    assertFalse(kernels.canPack());
    kernels.packTo(device.room(16));
    assertTrue(kernels.canPack());
    assertFalse(kernels.kernelOf(matrix, tokens).isPacked());
    assertFalse(kernels.hasFamilyBits(wgmma));
    kernels.useWgmma(device.room(16));
    assertEquals(wgmma, kernels.kernelOf(matrix, tokens));
    assertTrue(kernels.hasFamilyBits(wgmma));
  }

  @Test
  void shouldNotZeroOutputsThatStandBesideItsOwn() {
    final Case on = new Case(WeightType.BF16, 16, 512, 1);
    final var shared = MatmulVariant.decode(WeightType.BF16, 16, 512, 1, 8, 1, 2);
    assertThrows(
        IllegalArgumentException.class,
        () -> on.kernels.product(shared, on.onDevice, 0, 0, 20, 1, false));
    try (Arena arena = Arena.ofConfined()) {
      final KernelParams params = new KernelParams(arena);
      shared.addTo(params.reset().int32(7));
      assertEquals(24, params.struct().byteSize());
    }
  }
}
