package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.device.cpu.CpuDeviceSettings.Kernels;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.WeightType;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.Families;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Schedules;
import dev.stator.testing.TestModels;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
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
  private static final Schedules SCHEDULES = new Schedules(5, 75, 60, 3);

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
    SCHEDULES.check(
        () -> CpuDevice.create(model, alone),
        () -> CpuDevice.create(model, together),
        SameBytesTest::poison,
        model.config().vocabularySize(),
        seed);
  }

  private static CpuDeviceSettings settings(int threads, Kernels kernels) {
    return new CpuDeviceSettings(
        threads, 0, SCHEDULES.blockCount(), SCHEDULES.stepTokensMax(), 0, kernels);
  }

  private static void poison(CpuDevice device) {
    for (int b = 0; b < device.blockCount(); b++) {
      final var block = device.block(b);
      for (long i = 0; i < block.byteSize(); i += 4)
        block.set(ValueLayout.JAVA_FLOAT, i, Float.NaN);
    }
  }

  @Test
  void shouldGiveTheSameLogitsBeforeAndAfterCompilation() {
    try (LoadedModel model =
            RandomModels.of(RandomModels.LLAMA, 9, WeightType.Q8_0, WeightType.Q4_0);
        CpuDevice device = CpuDevice.create(model, settings(1, Kernels.VECTOR))) {
      final int[] tokens =
          new Random(1).ints(SCHEDULES.lengthMax(), 0, model.config().vocabularySize()).toArray();
      final float[][] first = Schedules.tokenByToken(device, tokens);
      for (int i = 0; i < 40; i++) {
        final float[][] again = Schedules.tokenByToken(device, tokens);
        for (int t = 0; t < tokens.length; t++) assertArrayEquals(first[t], again[t]);
      }
    }
  }
}
