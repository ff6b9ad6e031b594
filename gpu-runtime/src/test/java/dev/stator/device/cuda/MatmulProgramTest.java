package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Family {@code cuda-mma-1} to the bit, as NUMERICS.md writes it down. Only the emulated matrix
 * instruction has a known order of sums: in float64, rounded once.
 */
class MatmulProgramTest {
  private static final int ROWS = 17;
  private static final int TOKENS = 3;

  private final DeviceArrays device = new DeviceArrays(CudaTests.emulated());

  @AfterEach
  void release() {
    device.close();
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, 32",
    "BF16, 1056",
    "BF16, 2304",
    "Q8_0, 4128",
    "Q4_K, 2304",
    "Q6_K, 1280",
    "F8_E4M3, 2080"
  })
  void shouldSumChunksAndStepsAndRangesInOrder(WeightType type, int columns) {
    final Random random = new Random(columns);
    final WeightMatrix matrix = RandomWeights.matrix("weights", type, ROWS, columns, 0.1, random);
    final short[] x = RepackedMatrix.bf16Bits(RandomWeights.activations(TOKENS * columns, random));
    final RepackedMatrix repacked = new RepackedMatrix(device, matrix);
    final float[] out = repacked.multiply(repacked.product(TOKENS), x);
    for (int row = 0; row < ROWS; row++) {
      final float[] weights = RepackedMatrix.dequantized(matrix, row);
      for (int token = 0; token < TOKENS; token++) {
        assertEquals(program(weights, x, token * columns), out[token * ROWS + row]);
      }
    }
  }

  private static float program(float[] weights, short[] x, int from) {
    final int rangeColumns = (weights.length + 2047) / 2048 * 256;
    float sum = 0;
    for (int range = 0; range < weights.length; range += rangeColumns) {
      float accumulator = 0;
      final int end = Math.min(range + rangeColumns, weights.length);
      for (int chunk = range; chunk < end; chunk += 128) {
        for (int step = 0; step < 8; step++) {
          accumulator = instruction(accumulator, weights, x, from, chunk + 4 * step);
        }
      }
      sum += accumulator;
    }
    return sum;
  }

  /** Columns first + 32 t + i, for t and i from 0 to 3, as far as there are. */
  private static float instruction(
      float accumulator, float[] weights, short[] x, int from, int first) {
    double sum = 0;
    for (int i = 0; i < 16; i++) {
      final int column = first + i % 8 / 2 * 32 + i / 8 * 2 + i % 2;
      if (column >= weights.length) continue;
      sum += (double) weights[column] * RepackedMatrix.bf16Value(x[from + column]);
    }
    return (float) (accumulator + sum);
  }
}
