package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stator.device.cpu.NativeKernels.InstructionSet;
import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every native kernel against its scalar program, bit for bit, for each instruction set here. */
class NativeMatrixTest {
  private static final int TOKENS_MAX = 40;
  private static final int SHAPES = 16;

  /** Of a matrix's tasks: all, none, every second. */
  private static final List<IntPredicate> WHICH_ARE_PACKED =
      List.of(task -> true, task -> false, task -> task % 2 == 1);

  private final Random random = new Random(11);
  private final Scratch scratch = new Scratch(TOKENS_MAX, 16, 2);
  private final WorkerPool pool = new WorkerPool(1);

  @ParameterizedTest
  @MethodSource("libraries")
  void shouldRunTheScalarProgramForAnyShapeAndTokenCount(Library library) throws IOException {
    final NativeKernels kernels = library.require();
    for (WeightType type : types(kernels)) {
      for (int shape = 0; shape < SHAPES; shape++) {
        final int rows = 1 + random.nextInt(150);
        final int columns = type.blockLength() * (1 + random.nextInt(700 / type.blockLength()));
        final int tokens = shape % 3 == 0 ? 1 + shape / 3 : 1 + random.nextInt(TOKENS_MAX);
        final WeightMatrix source = RandomWeights.matrix("w", type, rows, columns, 1, random);
        final float[] x = inputs(tokens * columns);
        final Inputs.Form form = kernels.format(type).orElseThrow().form();
        final float[] expected = IntegerProgram.multiply(source, form, x, tokens);
        for (IntPredicate isPacked : WHICH_ARE_PACKED) {
          assertArrayEquals(
              bits(expected),
              bits(multiply(kernels, source, x, tokens, isPacked)),
              () -> type + " " + rows + " x " + columns + ", " + tokens + " tokens");
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void shouldMultiplyOneTokenLikeMany(Library library) throws IOException {
    final NativeKernels kernels = library.require();
    for (WeightType type : types(kernels)) {
      final int columns = 4096; // A call takes fewer tokens than there are.
      final int rows = 64;
      final WeightMatrix source = RandomWeights.matrix("w", type, rows, columns, 1, random);
      final float[] x = inputs(TOKENS_MAX * columns);
      final float[] all = multiply(kernels, source, x, TOKENS_MAX);
      for (int t = 0; t < TOKENS_MAX; t++) {
        final float[] one = Arrays.copyOfRange(x, t * columns, (t + 1) * columns);
        final float[] expected = Arrays.copyOfRange(all, t * rows, (t + 1) * rows);
        assertArrayEquals(bits(expected), bits(multiply(kernels, source, one, 1)));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void shouldStayNearTheProductsInFloat64(Library library) throws IOException {
    final NativeKernels kernels = library.require();
    final int columns = 1024;
    for (WeightType type : types(kernels)) {
      final WeightMatrix source = RandomWeights.matrix("w", type, 40, columns, 1, random);
      final float[] x = RandomWeights.activations(columns, random);
      final float[] y = multiply(kernels, source, x, 1);
      for (int row = 0; row < 40; row++) {
        final float[] w = WeightDecoder.row(source, row);
        double sum = 0;
        double squares = 0;
        for (int k = 0; k < columns; k++) {
          sum += (double) w[k] * x[k];
          squares += (double) w[k] * w[k] * x[k] * x[k];
        }
        // Rounding errors of about 1/127 of the largest input of 32, of either sign.
        assertEquals(sum, y[row], 0.05 * Math.sqrt(squares), type + ", row " + row);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("badInputs")
  void shouldGiveNoNumberWhenAnInputIsNone(float bad) {
    final NativeKernels kernels = requireAny();
    for (WeightType type : types(kernels)) {
      final WeightMatrix source = RandomWeights.matrix("w", type, 16, 512, 1, random);
      final float[] x = RandomWeights.activations(2 * 512, random);
      x[300] = bad;
      final float[] y = multiply(kernels, source, x, 2);
      for (int row = 0; row < 16; row++) {
        assertTrue(!Float.isFinite(y[row]), type + " hides an input of " + bad);
        assertTrue(Float.isFinite(y[16 + row]), "the other token is another's");
      }
    }
  }

  static List<Float> badInputs() {
    return List.of(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
  }

  @Test
  void shouldTakeInputsOfAnySize() {
    final NativeKernels kernels = requireAny();
    final WeightMatrix source = RandomWeights.matrix("w", WeightType.Q8_0, 16, 128, 1, random);
    final float[] x = new float[128];
    x[0] = Float.MIN_VALUE;
    x[40] = 1e-37f;
    x[70] = Float.MAX_VALUE / 1e6f;
    x[100] = -0f;
    assertArrayEquals(
        bits(IntegerProgram.multiply(source, Inputs.Form.INT8, x, 1)),
        bits(multiply(kernels, source, x, 1)));
  }

  @Test
  void shouldNameTheTensorWhenAScaleIsNotFinite() {
    final NativeKernels kernels = requireAny();
    for (WeightType type : types(kernels)) {
      final WeightMatrix source = RandomWeights.matrix("w", type, 20, 256, 1, random);
      final int scaleOffset =
          switch (type) {
            case Q6_K -> 208;
            case Q4_K, Q5_K -> 2; // The scale of the minimums.
            default -> 0;
          };
      final long at = 17 * type.byteSize(256) + scaleOffset;
      source.data().set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) 0xFFFF);
      try (Arena arena = Arena.ofConfined()) {
        final var e = assertThrows(ModelFormatException.class, () -> pack(kernels, source, arena));
        final String what = type.blockLength() == 1 ? "value" : "scale";
        assertEquals("tensor w has a " + what + " that is not finite in row 17", e.getMessage());
      }
    }
  }

  /** For each instruction set, and for AMX with its instructions written out. */
  static List<Library> libraries() {
    final List<Library> libraries = new ArrayList<>();
    for (InstructionSet set : InstructionSet.values()) {
      libraries.add(new Library(set, set.resource()));
    }
    libraries.add(new Library(InstructionSet.AMX, "native/libstator-cpu-amx-emulated.so"));
    return libraries;
  }

  private record Library(InstructionSet set, String resource) {
    NativeKernels require() throws IOException {
      final Optional<NativeKernels> kernels = NativeKernels.load(set, resource);
      assumeTrue(kernels.isPresent(), "needs " + this + ", in the build and in this processor");
      return kernels.orElseThrow();
    }
  }

  private static NativeKernels requireAny() {
    final NativeKernels.Found found = NativeKernels.find();
    assumeTrue(found.kernels() != null, "needs native kernels: " + found.obstacle());
    return found.kernels();
  }

  private static List<WeightType> types(NativeKernels kernels) {
    return Stream.of(WeightType.values()).filter(type -> kernels.format(type).isPresent()).toList();
  }

  /** Blocks of very different sizes, some of zeros. */
  private float[] inputs(int count) {
    final float[] x = RandomWeights.activations(count, random);
    for (int i = 0; i < count; i += 32) {
      final float size =
          random.nextInt(8) == 0 ? 0f : (float) Math.scalb(1.0, random.nextInt(20) - 10);
      for (int k = i; k < Math.min(count, i + 32); k++) x[k] *= size;
    }
    return x;
  }

  private static NativeMatrix pack(NativeKernels kernels, WeightMatrix source, Arena arena) {
    return pack(kernels, source, arena, task -> true);
  }

  private static NativeMatrix pack(
      NativeKernels kernels, WeightMatrix source, Arena arena, IntPredicate isPacked) {
    final var matrix = new NativeMatrix(source, kernels.format(source.type()).orElseThrow());
    matrix.place(arena.allocate(matrix.placeBytes(), 64));
    for (int task = 0; task < matrix.taskCount(); task++) {
      if (isPacked.test(task)) matrix.packTask(task);
    }
    return matrix;
  }

  private float[] multiply(NativeKernels kernels, WeightMatrix source, float[] x, int tokens) {
    return multiply(kernels, source, x, tokens, task -> true);
  }

  private float[] multiply(
      NativeKernels kernels, WeightMatrix source, float[] x, int tokens, IntPredicate isPacked) {
    try (Arena arena = Arena.ofConfined()) {
      final NativeMatrix matrix = pack(kernels, source, arena, isPacked);
      scratch.panel = arena.allocate(matrix.panelBytes + 64, 64);
      final Inputs.Form form = matrix.inputForm();
      final var inputs = new Inputs(arena, Set.of(form), kernels, tokens, matrix.columns());
      inputs.set(x, matrix.columns(), tokens);
      inputs.prepare(form, pool);
      final float[] y = new float[tokens * matrix.rows()];
      for (int panel = 0; panel < matrix.panelCount(); panel += PackedMatrix.TASK_PANELS) {
        final int panelEnd = Math.min(matrix.panelCount(), panel + PackedMatrix.TASK_PANELS);
        matrix.multiply(panel, panelEnd, inputs, 0, tokens, scratch.out, scratch);
        final int row = panel * PackedMatrix.PANEL_ROWS;
        final int count = Math.min(PackedMatrix.TASK_ROWS, matrix.rows() - row);
        for (int t = 0; t < tokens; t++) {
          final int from = t * PackedMatrix.TASK_ROWS;
          System.arraycopy(scratch.out, from, y, t * matrix.rows() + row, count);
        }
      }
      return y;
    }
  }

  private static int[] bits(float[] values) {
    final int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) bits[i] = Float.floatToRawIntBits(values[i]);
    return bits;
  }
}
