package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every kernel against the scalar program, bit for bit. */
class PackedMatrixTest {
  private static final int TOKENS_MAX = 40;
  private static final int SHAPES = 24;

  private final Random random = new Random(7);
  private final Scratch scratch = new Scratch(TOKENS_MAX, 16, 2);

  @ParameterizedTest
  @EnumSource(value = WeightType.class, names = "F8_E4M3", mode = EnumSource.Mode.EXCLUDE)
  void shouldRunTheScalarChainForAnyShapeAndTokenCount(WeightType type) {
    for (int shape = 0; shape < SHAPES; shape++) {
      final boolean isLong = shape % 8 == 7; // Longer than any kernel's chunk.
      final int rows = 1 + random.nextInt(isLong ? 20 : 150);
      final int blocksMax = Math.max(1, (isLong ? 3000 : 700) / type.blockLength());
      final int columns = type.blockLength() * (isLong ? blocksMax : 1 + random.nextInt(blocksMax));
      final int tokens = shape % 3 == 0 ? 1 : 1 + random.nextInt(isLong ? 6 : TOKENS_MAX);
      final WeightMatrix source = RandomWeights.matrix("w", type, rows, columns, 1, random);
      final float[] x = RandomWeights.activations(tokens * columns, random);
      final float[] expected = chain(source, x, tokens);
      try (Arena arena = Arena.ofConfined()) {
        final PanelMatrix matrix = pack(source, arena);
        matrix.setBeyondCaches(shape % 2 == 0);
        assertArrayEquals(bits(expected), bits(multiply(matrix, x, tokens, true)));
        assertArrayEquals(bits(expected), bits(multiply(matrix, x, tokens, false)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = WeightType.class, names = "F8_E4M3", mode = EnumSource.Mode.EXCLUDE)
  void shouldAgreeWithTheProductsInFloat64(WeightType type) {
    final int rows = 40;
    final int columns = 1024;
    final int tokens = 5;
    final WeightMatrix source = RandomWeights.matrix("w", type, rows, columns, 1, random);
    final float[] x = RandomWeights.activations(tokens * columns, random);
    try (Arena arena = Arena.ofConfined()) {
      final float[] y = multiply(pack(source, arena), x, tokens, true);
      for (int row = 0; row < rows; row++) {
        final float[] w = WeightDecoder.row(source, row);
        for (int t = 0; t < tokens; t++) {
          double sum = 0;
          double magnitude = 0;
          for (int k = 0; k < columns; k++) {
            final double term = (double) w[k] * x[t * columns + k];
            sum += term;
            magnitude += Math.abs(term);
          }
          assertEquals(sum, y[t * rows + row], 1e-6 * magnitude);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = WeightType.class, names = "F8_E4M3", mode = EnumSource.Mode.EXCLUDE)
  void shouldDecodeEveryValueAsItsFormatDefinesIt(WeightType type) {
    final int columns = 2 * Math.max(256, type.blockLength());
    final WeightMatrix source = RandomWeights.matrix("w", type, 16, columns, 1, random);
    try (Arena arena = Arena.ofConfined()) {
      final PanelMatrix matrix = pack(source, arena);
      final float[] panel = new float[columns * 16];
      for (int k = 0; k < columns; k += PanelMatrix.CHUNK) {
        matrix.unpack(0, k, k + PanelMatrix.CHUNK, panel, k * 16, scratch);
      }
      for (int row = 0; row < 16; row++) {
        final float[] values = WeightDecoder.row(source, row);
        for (int k = 0; k < columns; k++) {
          assertEquals(
              Float.floatToRawIntBits(values[k]), Float.floatToRawIntBits(panel[k * 16 + row]));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = WeightType.class, names = "F8_E4M3", mode = EnumSource.Mode.EXCLUDE)
  void shouldNameTheTensorWhenAValueOrScaleIsNotFinite(WeightType type) {
    final WeightMatrix source =
        RandomWeights.matrix("blk.0.ffn_up.weight", type, 20, 256, 1, random);
    final int scaleOffset =
        switch (type) {
          case Q6_K -> 208;
          case Q4_K, Q5_K -> 2; // The scale of the minimums.
          case Q2_K -> 82;
          case Q3_K -> 108;
          default -> 0;
        };
    final long at = 17 * type.byteSize(256) + scaleOffset;
    final int highByte = type == WeightType.F32 ? 3 : 1;
    source.data().set(ValueLayout.JAVA_BYTE, at + highByte, (byte) 0xFF);
    source.data().set(ValueLayout.JAVA_BYTE, at + highByte - 1, (byte) 0xFF);
    try (Arena arena = Arena.ofConfined()) {
      final var e = assertThrows(ModelFormatException.class, () -> pack(source, arena));
      assertEquals(
          "tensor blk.0.ffn_up.weight has a "
              + (type.blockLength() == 1 ? "value" : "scale")
              + " that is not finite in row 17",
          e.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"Q4_1", "Q5_1"})
  void shouldNameTheTensorWhenAMinimumIsNotFinite(WeightType type) {
    final WeightMatrix source = RandomWeights.matrix("w", type, 20, 256, 1, random);
    source.data().set(ValueLayout.JAVA_BYTE, 17 * type.byteSize(256) + 3, (byte) 0x7C);
    try (Arena arena = Arena.ofConfined()) {
      final var e = assertThrows(ModelFormatException.class, () -> pack(source, arena));
      assertEquals("tensor w has a minimum that is not finite in row 17", e.getMessage());
    }
  }

  private static PanelMatrix pack(WeightMatrix source, Arena arena) {
    final PanelMatrix matrix = Panels.of(source, new KernelChoice());
    matrix.place(arena.allocate(matrix.placeBytes(), 64));
    for (int panel = 0; panel < matrix.panelCount(); panel++) matrix.pack(panel);
    return matrix;
  }

  private float[] multiply(PanelMatrix matrix, float[] x, int tokens, boolean usesVectors) {
    final float[] y = new float[tokens * matrix.rows()];
    for (int panel = 0; panel < matrix.panelCount(); panel += PackedMatrix.TASK_PANELS) {
      final int panelEnd = Math.min(matrix.panelCount(), panel + PackedMatrix.TASK_PANELS);
      final float[] out = scratch.out;
      if (usesVectors) {
        matrix.multiplyVector(panel, panelEnd, x, 0, matrix.columns(), tokens, out, scratch);
      } else {
        matrix.multiplyScalar(panel, panelEnd, x, 0, matrix.columns(), tokens, out, scratch);
      }
      final int row = panel * PackedMatrix.PANEL_ROWS;
      final int count = Math.min(PackedMatrix.TASK_ROWS, matrix.rows() - row);
      for (int t = 0; t < tokens; t++) {
        System.arraycopy(out, t * PackedMatrix.TASK_ROWS, y, t * matrix.rows() + row, count);
      }
    }
    return y;
  }

  private static float[] chain(WeightMatrix source, float[] x, int tokens) {
    final float[] y = new float[tokens * source.rowCount()];
    for (int row = 0; row < source.rowCount(); row++) {
      final float[] w = WeightDecoder.row(source, row);
      for (int t = 0; t < tokens; t++) {
        float acc = 0;
        for (int k = 0; k < w.length; k++) acc = Math.fma(w[k], x[t * w.length + k], acc);
        y[t * source.rowCount() + row] = acc;
      }
    }
    return y;
  }

  private static int[] bits(float[] values) {
    final int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) bits[i] = Float.floatToRawIntBits(values[i]);
    return bits;
  }
}
