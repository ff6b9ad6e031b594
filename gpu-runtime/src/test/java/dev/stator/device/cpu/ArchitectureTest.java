package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.device.cpu.CpuDeviceSettings.Kernels;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelConfig.RopeLayout;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightType;
import dev.stator.testing.Families;
import dev.stator.testing.RandomModels;
import dev.stator.testing.ReferenceModel;
import dev.stator.testing.Sequences;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kind of model against the float64 reference. */
class ArchitectureTest {
  private static final int TOKENS = 45;

  static Stream<Named<ModelConfig>> configs() {
    return Stream.of(
        named(
            "llama", 64, 4, 2, RopeLayout.INTERLEAVED, new RopeScaling.None(), false, false, true),
        named(
            "llama, halves, untied",
            64,
            3,
            3,
            RopeLayout.HALVES,
            new RopeScaling.None(),
            false,
            false,
            false),
        named(
            "llama3 scaling",
            96,
            8,
            2,
            RopeLayout.HALVES,
            new RopeScaling.Llama3(8, 1, 4, 64),
            false,
            false,
            true),
        named(
            "linear scaling",
            128,
            2,
            1,
            RopeLayout.HALVES,
            new RopeScaling.Linear(4),
            false,
            false,
            false),
        named(
            "per-pair scaling", 64, 4, 4, RopeLayout.INTERLEAVED, perPair(32), false, false, true),
        named("qwen2", 80, 7, 1, RopeLayout.HALVES, new RopeScaling.None(), true, false, true),
        named("qwen3", 128, 4, 2, RopeLayout.HALVES, new RopeScaling.None(), false, true, false),
        named(
            "odd sizes",
            22,
            6,
            2,
            RopeLayout.INTERLEAVED,
            new RopeScaling.None(),
            true,
            true,
            true));
  }

  private static Named<ModelConfig> named(
      String name,
      int headSize,
      int heads,
      int keyValueHeads,
      RopeLayout layout,
      RopeScaling scaling,
      boolean bias,
      boolean headNorm,
      boolean tied) {
    return Named.of(
        name,
        new ModelConfig(
            "llama",
            2,
            100,
            150,
            heads,
            keyValueHeads,
            headSize,
            77,
            64,
            1e-5f,
            10_000f,
            scaling,
            layout,
            bias,
            headNorm,
            tied));
  }

  private static RopeScaling perPair(int pairs) {
    final float[] divisors = new float[pairs];
    for (int i = 0; i < pairs; i++) divisors[i] = 1 + i / 4f;
    return new RopeScaling.PerPair(divisors);
  }

  static Stream<Named<ModelConfig>> families() {
    return Families.all();
  }

  @ParameterizedTest
  @MethodSource({"configs", "families"})
  void shouldAgreeWithTheFormulasInFloat64(ModelConfig config) {
    final int[] tokens = new Random(3).ints(TOKENS, 0, config.vocabularySize()).toArray();
    try (LoadedModel model =
        RandomModels.of(config, 11, WeightType.F32, WeightType.BF16, WeightType.F16)) {
      checkLogits(model, tokens);
    }
  }

  @ParameterizedTest
  @EnumSource(value = WeightType.class, names = "F8_E4M3", mode = EnumSource.Mode.EXCLUDE)
  void shouldAgreeWithTheFormulasInFloat64ForEachWeightType(WeightType type) {
    final var config =
        new ModelConfig(
            "llama",
            2,
            256,
            256,
            4,
            2,
            64,
            77,
            64,
            1e-5f,
            10_000f,
            new RopeScaling.None(),
            RopeLayout.INTERLEAVED,
            false,
            false,
            true);
    final int[] tokens = new Random(4).ints(TOKENS, 0, config.vocabularySize()).toArray();
    try (LoadedModel model = RandomModels.of(config, 12, WeightType.F32, type)) {
      checkLogits(model, tokens);
    }
  }

  private static void checkLogits(LoadedModel model, int[] tokens) {
    final double[] expected = new ReferenceModel(model).logits(tokens);
    double largest = 0;
    for (double value : expected) largest = Math.max(largest, Math.abs(value));
    final float[] logits = logits(model, tokens, Kernels.VECTOR);
    for (int i = 0; i < logits.length; i++) assertEquals(expected[i], logits[i], 2e-5 * largest);
    assertArrayEquals(logits, logits(model, tokens, Kernels.SCALAR), 0);
  }

  private static float[] logits(LoadedModel model, int[] tokens, Kernels kernels) {
    try (CpuDevice device =
        CpuDevice.create(model, new CpuDeviceSettings(1, 0, 4, 64, 0, kernels))) {
      return Sequences.prefill(device, tokens, new int[] {2, 0, 3}, 17);
    }
  }
}
