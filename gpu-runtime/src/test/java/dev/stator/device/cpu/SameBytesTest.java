package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.device.cpu.CpuDeviceSettings.Kernels;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.WeightType;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.TestModels;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Logits depend on the tokens up to their position, and on nothing else. */
class SameBytesTest {
  private static final int SEQUENCES = 5;
  private static final int LENGTH_MAX = 75;
  private static final int STEP_TOKENS_MAX = 60;
  private static final int BLOCKS_PER_SEQUENCE = (LENGTH_MAX + 15) / 16;
  private static final int BLOCKS = SEQUENCES * BLOCKS_PER_SEQUENCE;
  private static final int SCHEDULES = 3;

  /** A sequence under way. */
  private static final class Run {
    private final int[] tokens;
    private final int[] blocks;
    private final float[][] expected;
    private int done;

    Run(int[] tokens, int[] blocks, float[][] expected) {
      this.tokens = tokens;
      this.blocks = blocks;
      this.expected = expected;
    }
  }

  @ParameterizedTest
  @CsvSource({"1, SCALAR, VECTOR", "2, VECTOR, VECTOR", "3, JAVA, VECTOR", "2, AUTO, AUTO"})
  void shouldGiveTheSameLogitsInAnyBatchAndChunkingOnAnyNumberOfThreads(
      int threads, Kernels kernels, Kernels alone) {
    try (LoadedModel model = ModelFiles.open(TestModels.bundled())) {
      checkSchedules(model, threads, kernels, alone, 17);
    }
  }

  @ParameterizedTest
  @CsvSource({"JAVA, VECTOR", "AUTO, AUTO"})
  void shouldGiveTheSameLogitsForAMixtureOfAllWeightTypes(Kernels kernels, Kernels alone) {
    final ModelConfig c = RandomModels.LLAMA;
    final ModelConfig config =
        new ModelConfig(
            c.architecture(),
            2,
            256,
            256,
            6,
            2,
            128,
            300,
            128,
            c.rmsNormEpsilon(),
            c.ropeTheta(),
            c.ropeScaling(),
            c.ropeLayout(),
            true,
            true,
            false);
    try (LoadedModel model = RandomModels.of(config, 5, WeightType.values())) {
      final Set<WeightType> projected = EnumSet.noneOf(WeightType.class);
      model.weights().matrices().stream()
          .skip(1) // The embedding.
          .filter(matrix -> matrix.rowCount() > 1)
          .forEach(matrix -> projected.add(matrix.type()));
      assertEquals(EnumSet.allOf(WeightType.class), projected);
      checkSchedules(model, 2, kernels, alone, 23);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, AUTO, SCALAR",
    "BF16, JAVA, VECTOR",
    "INT8, AUTO, SCALAR",
    "INT8, JAVA, VECTOR"
  })
  void shouldGiveTheSameLogitsFromRoundedKeysAndValues(
      KvType type, Kernels kernels, Kernels alone) {
    // Weights that no native kernel multiplies: Java's and native attention meet the same inputs.
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 37, WeightType.F32)) {
      checkSchedules(
          model, settings(1, alone).withKvType(type), settings(2, kernels).withKvType(type), 41);
    }
  }

  static Stream<Named<ModelConfig>> families() {
    return Families.all();
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldGiveTheSameLogitsForEachFamily(ModelConfig config) {
    try (LoadedModel model =
        RandomModels.of(
            config, 31, WeightType.Q8_0, WeightType.F32, WeightType.Q4_0, WeightType.BF16)) {
      checkSchedules(model, 2, Kernels.AUTO, Kernels.AUTO, 29);
      checkSchedules(model, 1, Kernels.SCALAR, Kernels.VECTOR, 30);
    }
  }

  private static void checkSchedules(
      LoadedModel model, int threads, Kernels kernels, Kernels alone, long seed) {
    checkSchedules(model, settings(1, alone), settings(threads, kernels), seed);
  }

  private static void checkSchedules(
      LoadedModel model, CpuDeviceSettings alone, CpuDeviceSettings together, long seed) {
    final Random random = new Random(seed);
    final List<int[]> sequences = new ArrayList<>();
    for (int i = 0; i < SEQUENCES; i++) {
      final int length = 1 + random.nextInt(LENGTH_MAX);
      sequences.add(random.ints(length, 0, model.config().vocabularySize()).toArray());
    }
    final List<float[][]> expected = new ArrayList<>();
    try (CpuDevice device = CpuDevice.create(model, alone)) {
      for (int[] tokens : sequences) expected.add(tokenByToken(device, tokens));
    }
    try (CpuDevice device = CpuDevice.create(model, together)) {
      for (int i = 0; i < SCHEDULES; i++) {
        poison(device);
        final List<Integer> blocks = new ArrayList<>();
        for (int b = 0; b < BLOCKS; b++) blocks.add(b);
        Collections.shuffle(blocks, random);
        final List<Run> runs = new ArrayList<>();
        for (int s = 0; s < SEQUENCES; s++) {
          final int[] own =
              blocks.subList(s * BLOCKS_PER_SEQUENCE, (s + 1) * BLOCKS_PER_SEQUENCE).stream()
                  .mapToInt(Integer::intValue)
                  .toArray();
          runs.add(new Run(sequences.get(s), own, expected.get(s)));
        }
        runToTheEnd(device, runs, random);
      }
    }
  }

  private static CpuDeviceSettings settings(int threads, Kernels kernels) {
    return new CpuDeviceSettings(threads, 0, BLOCKS, STEP_TOKENS_MAX, 0, kernels);
  }

  private static float[][] tokenByToken(CpuDevice device, int[] tokens) {
    final float[][] logits = new float[tokens.length][];
    final int[] blocks = Sequences.blocks(0, tokens.length);
    for (int i = 0; i < tokens.length; i++) {
      logits[i] =
          device
              .run(new StepInput(List.of(new StepInput.Slice(tokens, i, 1, blocks, 1))))
              .logits(0, 0)
              .clone();
    }
    return logits;
  }

  /** Random chunks of random sequences, until all are done. */
  private static void runToTheEnd(CpuDevice device, List<Run> all, Random random) {
    final List<Run> open = new ArrayList<>(all);
    while (!open.isEmpty()) {
      Collections.shuffle(open, random);
      final List<Run> scheduled = open.subList(0, 1 + random.nextInt(open.size()));
      final List<StepInput.Slice> slices = new ArrayList<>();
      int budget = STEP_TOKENS_MAX;
      for (Run run : scheduled) {
        final int chunkMax = random.nextBoolean() ? 1 : Math.max(1, budget / scheduled.size());
        final int count = Math.min(run.tokens.length - run.done, 1 + random.nextInt(chunkMax));
        slices.add(
            new StepInput.Slice(
                run.tokens, run.done, count, run.blocks, random.nextInt(Math.min(count, 8) + 1)));
        budget -= count;
      }
      final StepOutput output = device.run(new StepInput(slices));
      for (int i = 0; i < slices.size(); i++) {
        final Run run = scheduled.get(i);
        run.done += slices.get(i).tokenCount();
        final int rows = slices.get(i).logitsCount();
        for (int row = 0; row < rows; row++) {
          assertSameBits(run.expected[run.done - rows + row], output.logits(i, row));
        }
      }
      open.removeIf(run -> run.done == run.tokens.length);
    }
  }

  private static void poison(CpuDevice device) {
    for (int b = 0; b < device.blockCount(); b++) {
      final var block = device.block(b);
      for (long i = 0; i < block.byteSize(); i += 4)
        block.set(ValueLayout.JAVA_FLOAT, i, Float.NaN);
    }
  }

  private static void assertSameBits(float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(Float.floatToRawIntBits(expected[i]), Float.floatToRawIntBits(actual[i]));
    }
  }

  @Test
  void shouldGiveTheSameLogitsBeforeAndAfterCompilation() {
    try (LoadedModel model =
            RandomModels.of(RandomModels.LLAMA, 9, WeightType.Q8_0, WeightType.Q4_0);
        CpuDevice device = CpuDevice.create(model, settings(1, Kernels.VECTOR))) {
      final int[] tokens =
          new Random(1).ints(LENGTH_MAX, 0, model.config().vocabularySize()).toArray();
      final float[][] first = tokenByToken(device, tokens);
      for (int i = 0; i < 40; i++) {
        final float[][] again = tokenByToken(device, tokens);
        for (int t = 0; t < tokens.length; t++) assertArrayEquals(first[t], again[t]);
      }
    }
  }
}
