package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights on their way into the matrix instruction: repacked, then dequantized in registers. */
class RepackTest {
  private static final int ROWS = 37;
  private static final short ONE = 0x3F80;

  private final DeviceArrays device = new DeviceArrays(CudaTests.open());

  @AfterEach
  void release() {
    device.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_K", "Q6_K", "F8_E4M3"})
  void shouldMultiplyByEveryWeightAsDefined(WeightType type) {
    final int columns = type.blockLength() == 256 ? 512 : 288;
    final WeightMatrix matrix =
        RandomWeights.matrix("weights", type, ROWS, columns, 1, new Random(type.ordinal()));
    final short[] identity = new short[columns * columns];
    for (int i = 0; i < columns; i++) identity[i * columns + i] = ONE;
    final RepackedMatrix repacked = new RepackedMatrix(device, matrix);
    final float[] out = repacked.multiply(repacked.prefill(columns), identity);
    for (int row = 0; row < ROWS; row++) {
      final float[] expected = RepackedMatrix.dequantized(matrix, row);
      for (int column = 0; column < columns; column++) {
        final int line = row;
        final int at = column;
        // 0 stands for both zeros: products with the other columns are sums of zeros.
        assertEquals(
            expected[column] + 0f,
            out[column * ROWS + row],
            () -> type + " row " + line + " column " + at);
      }
    }
  }

  @Test
  void shouldRoundQ4KToItsBound() {
    final WeightMatrix matrix =
        RandomWeights.matrix("weights", WeightType.Q4_K, ROWS, 512, 1, new Random(1));
    for (int row = 0; row < ROWS; row++) {
      final float[] format = WeightDecoder.row(matrix, row);
      final float[] rounded = RepackedMatrix.dequantized(matrix, row);
      for (int group = 0; group < 512; group += 32) {
        double magnitude = 0; // Of scale and offset: values are in between, or are their sums.
        for (int i = group; i < group + 32; i++)
          magnitude = Math.max(magnitude, Math.abs(format[i]));
        for (int i = group; i < group + 32; i++) {
          assertEquals(format[i], rounded[i], 2 * magnitude / 128, "row " + row + " column " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_K", "Q6_K", "F8_E4M3"})
  void shouldWriteEveryByteWhenRowsAndColumnsArePadded(WeightType type) {
    final int columns = type.blockLength() == 256 ? 256 : 160;
    final WeightMatrix matrix =
        RandomWeights.matrix("weights", type, ROWS, columns, 1, new Random(type.ordinal()));
    final RepackedMatrix repacked = new RepackedMatrix(device, matrix);
    final int count = Math.toIntExact(repacked.bytes() / 2);
    final long poisoned = device.room(repacked.bytes());
    repacked.repackTo(poisoned);
    final long cleared = device.halves(new short[count]);
    repacked.repackTo(cleared);
    assertArrayEquals(device.readHalves(poisoned, count), device.readHalves(cleared, count));
  }
}
