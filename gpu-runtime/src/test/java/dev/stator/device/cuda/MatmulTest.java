package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Family {@code cuda-mma-1}: the formula, the program, and the same bits in every company. */
class MatmulTest {
  private static final int[] COLUMNS = {32, 96, 128, 160, 288, 576, 1056, 2080, 2304, 4096};
  private static final int[] COLUMNS_OF_256 = {256, 512, 768, 1280, 2048, 2304, 4096};

  /** Of an output's error to the sum of its products' magnitudes: 24 bits and some truncation. */
  private static final double ROUNDING = 2e-6;

  /** Of a whole product, to weights as the format has them and float32 inputs. */
  private static final double WITH_BF16 = 5e-3;

  private final DeviceArrays device = new DeviceArrays(CudaTests.open());

  @AfterEach
  void release() {
    device.close();
  }

  /** A random matrix with activations. */
  private static final class Case {
    private final Random random;
    private final WeightMatrix matrix;
    private final int rows;
    private final int columns;
    private final int tokens;
    private final float[] floats;
    private final short[] x;

    private Case(WeightType type, int seed) {
      random = new Random(31L * seed + type.ordinal());
      final int[] choices = type.blockLength() == 256 ? COLUMNS_OF_256 : COLUMNS;
      columns = choices[random.nextInt(choices.length)];
      rows = 1 + random.nextInt(columns > 2000 ? 50 : 140);
      tokens = 1 + (seed % 2 == 0 ? random.nextInt(20) : random.nextInt(columns > 2000 ? 70 : 200));
      matrix = RandomWeights.matrix("weights", type, rows, columns, 0.05, random);
      floats = RandomWeights.activations(tokens * columns, random);
      x = RepackedMatrix.bf16Bits(floats);
    }

    private List<MatmulShape> shapes(RepackedMatrix on) {
      final List<MatmulShape> shapes = new ArrayList<>();
      for (int i = 8; i <= 64; i *= 2) shapes.add(on.decode(tokens, i));
      shapes.add(on.prefill(tokens));
      return shapes;
    }

    private short[] token(int token) {
      return Arrays.copyOfRange(x, token * columns, (token + 1) * columns);
    }

    @Override
    public String toString() {
      return matrix.type() + " " + rows + " x " + columns + ", " + tokens + " tokens";
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_K", "Q6_K", "F8_E4M3"})
  void shouldEqualTheSumOfProductsInFloat64(WeightType type) {
    for (int seed = 0; seed < 4; seed++) {
      final Case on = new Case(type, seed);
      final RepackedMatrix repacked = new RepackedMatrix(device, on.matrix);
      final RepackedMatrix.Epilogue epilogue = epilogue(on, seed);
      final float[] out = repacked.multiply(repacked.product(on.tokens), on.x, epilogue);
      final float[][] weights = new float[on.rows][];
      Arrays.setAll(weights, row -> RepackedMatrix.dequantized(on.matrix, row));
      for (int token = 0; token < on.tokens; token++) {
        for (int row = 0; row < epilogue.outStride(); row++) {
          final int at = token * epilogue.outStride() + row;
          final float before = epilogue.addedTo() == null ? Float.NaN : epilogue.addedTo()[at];
          if (row < on.rows) {
            checkOutput(on, weights[row], epilogue, token, row, out[at]);
          } else {
            assertEquals(before, out[at], on + " wrote beyond its rows");
          }
        }
      }
    }
  }

  private static RepackedMatrix.Epilogue epilogue(Case on, int seed) {
    final int stride = on.rows + seed % 2 * 3;
    return new RepackedMatrix.Epilogue(
        seed % 2 == 0 ? null : RandomWeights.activations(on.rows, on.random),
        seed < 2 ? null : RandomWeights.activations(on.tokens * stride, on.random),
        stride);
  }

  private static void checkOutput(
      Case on,
      float[] weights,
      RepackedMatrix.Epilogue epilogue,
      int token,
      int row,
      float actual) {
    double sum = 0;
    double magnitude = 0;
    for (int k = 0; k < on.columns; k++) {
      final double product =
          (double) weights[k] * RepackedMatrix.bf16Value(on.x[token * on.columns + k]);
      sum += product;
      magnitude += Math.abs(product);
    }
    if (epilogue.bias() != null) sum += epilogue.bias()[row];
    if (epilogue.addedTo() != null) sum += epilogue.addedTo()[token * epilogue.outStride() + row];
    final double error = Math.abs(actual - sum);
    assertTrue(
        error <= ROUNDING * (1 + magnitude),
        on + ": token " + token + " row " + row + " is " + actual + ", not " + sum);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_K", "Q6_K", "F8_E4M3"})
  void shouldStayCloseToUnroundedWeightsAndInputs(WeightType type) {
    final Case on = new Case(type, 1);
    final RepackedMatrix repacked = new RepackedMatrix(device, on.matrix);
    final float[] out = repacked.multiply(repacked.product(on.tokens), on.x);
    double error = 0;
    double norm = 0;
    for (int row = 0; row < on.rows; row++) {
      final float[] weights = WeightDecoder.row(on.matrix, row);
      for (int token = 0; token < on.tokens; token++) {
        double sum = 0;
        for (int k = 0; k < on.columns; k++) {
          sum += (double) weights[k] * on.floats[token * on.columns + k];
        }
        error += Math.pow(out[token * on.rows + row] - sum, 2);
        norm += sum * sum;
      }
    }
    final double relative = Math.sqrt(error / norm);
    assertTrue(relative < WITH_BF16, on + ": relative error " + relative);
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "Q8_0", "Q4_K", "Q6_K", "F8_E4M3"})
  void shouldGiveTheSameBitsByEveryKernelAndAlone(WeightType type) {
    for (int seed = 10; seed < 14; seed++) {
      final Case on = new Case(type, seed);
      final RepackedMatrix repacked = new RepackedMatrix(device, on.matrix);
      final int[] bits = RepackedMatrix.bits(repacked.multiply(repacked.prefill(on.tokens), on.x));
      for (MatmulShape shape : on.shapes(repacked)) {
        final int[] others = RepackedMatrix.bits(repacked.multiply(shape, on.x));
        assertArrayEquals(bits, others, () -> on + " by " + shape.kernel());
      }
      final int token = on.random.nextInt(on.tokens);
      final int[] expected = Arrays.copyOfRange(bits, token * on.rows, (token + 1) * on.rows);
      for (MatmulShape shape : List.of(repacked.decode(1, 8), repacked.prefill(1))) {
        final int[] alone = RepackedMatrix.bits(repacked.multiply(shape, on.token(token)));
        assertArrayEquals(expected, alone, () -> on + ", one alone by " + shape.kernel());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "Q8_0", "Q4_K", "Q6_K", "F8_E4M3"})
  void shouldNotLetATokenSeeItsNeighboursWhenTheyAreNotNumbers(WeightType type) {
    for (int seed = 20; seed < 22; seed++) {
      final Case on = new Case(type, seed);
      final RepackedMatrix repacked = new RepackedMatrix(device, on.matrix);
      final int token = on.random.nextInt(on.tokens);
      final short[] x = new short[on.x.length];
      Arrays.fill(x, (short) 0x7FC0);
      System.arraycopy(on.x, token * on.columns, x, token * on.columns, on.columns);
      for (MatmulShape shape : on.shapes(repacked)) {
        final int from = token * on.rows;
        final float[] expected = repacked.multiply(shape, on.x);
        final float[] actual = repacked.multiply(shape, x);
        assertArrayEquals(
            Arrays.copyOfRange(expected, from, from + on.rows),
            Arrays.copyOfRange(actual, from, from + on.rows),
            () -> on + " by " + shape.kernel());
      }
    }
  }
}
