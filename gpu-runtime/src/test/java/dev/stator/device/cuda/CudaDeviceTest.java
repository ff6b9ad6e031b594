package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.model.AttentionVariant;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.Pooling;
import dev.stator.model.ResidualVariant;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightType;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.Families;
import dev.stator.testing.Golden;
import dev.stator.testing.RandomModels;
import dev.stator.testing.ReferenceModel;
import dev.stator.testing.Schedules;
import dev.stator.testing.Sequences;
import dev.stator.testing.TestModels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CudaDeviceTest {
  private static final Schedules SCHEDULES = new Schedules(4, 24, 33, 1);
  private static final int BLOCKS = 16;
  static final CudaDeviceSettings SETTINGS = settings(true);

  /** Of random weights, which cancel less than trained ones. */
  private static final double RELATIVE_ERROR_MAX = 0.05;

  /** Inputs of projections, keys and values are rounded to 8 bits of mantissa. */
  private static final double LOGIT_ERROR_MAX = 0.12;

  private static CudaDeviceSettings settings(boolean usesGraphs) {
    return new CudaDeviceSettings(
        0,
        CudaDeviceSettings.KV_BYTES_AUTO,
        0.5,
        BLOCKS,
        SCHEDULES.stepTokensMax(),
        0,
        CudaDeviceSettings.STAGING_BYTES_MIN,
        CudaDeviceSettings.HOST_BLOCKS_MIN,
        0,
        1 << 16,
        usesGraphs,
        true,
        1);
  }

  private static CudaDevice device(LoadedModel model) {
    return CudaDevice.create(model, SETTINGS, CudaTests.open());
  }

  /** Those whose kernels differ; stretched rotations differ in tables alone. */
  static Stream<Named<ModelConfig>> families() {
    return Stream.concat(
            Stream.of(
                Named.of("llama", RandomModels.LLAMA), Named.of("biases and head norms", qwen())),
            Families.all())
        .filter(family -> CudaDevice.obstacle(family.getPayload()) == null)
        .filter(family -> family.getPayload().ropeScaling() instanceof RopeScaling.None);
  }

  private static ModelConfig qwen() {
    final ModelConfig c = RandomModels.LLAMA;
    return new ModelConfig(
        "qwen",
        c.layerCount(),
        c.hiddenSize(),
        c.intermediateSize(),
        c.headCount(),
        c.keyValueHeadCount(),
        c.headSize(),
        c.vocabularySize(),
        c.contextLength(),
        c.rmsNormEpsilon(),
        c.ropeTheta(),
        c.ropeScaling(),
        ModelConfig.RopeLayout.HALVES,
        true,
        true,
        true);
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldAgreeWithTheFormulasForEachFamily(ModelConfig config) {
    try (LoadedModel model = RandomModels.of(config, 32, typesOf(config));
        CudaDevice device = device(model)) {
      final int[] tokens = new Random(3).ints(37, 0, config.vocabularySize()).toArray();
      final double[] expected = new ReferenceModel(model).logits(tokens);
      final float[] logits =
          Sequences.prefill(device, tokens, Sequences.blocks(0, tokens.length), 20);
      assertClose(expected, logits);
    }
  }

  static void assertClose(double[] expected, float[] logits) {
    double square = 0;
    double error = 0;
    for (int i = 0; i < expected.length; i++) {
      square += expected[i] * expected[i];
      error += (expected[i] - logits[i]) * (expected[i] - logits[i]);
    }
    final double relative = Math.sqrt(error / square);
    assertTrue(
        relative < RELATIVE_ERROR_MAX,
        "relative error " + relative + ", " + expected[0] + " became " + logits[0]);
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldGiveTheSameLogitsInAnyBatchAndChunking(ModelConfig config) {
    try (LoadedModel model = RandomModels.of(config, 7, typesOf(config))) {
      checkSameLogits(model);
    }
  }

  private static void checkSameLogits(LoadedModel model) {
    SCHEDULES.check(
        () -> CudaDevice.create(model, settings(false), CudaTests.open()),
        () -> device(model),
        CudaDeviceTest::poison,
        model.config().vocabularySize(),
        11);
  }

  /** Experts of one type, but for those of a mixture with a shared one. */
  static WeightType[] typesOf(ModelConfig config) {
    final FeedForwardVariant.Experts experts = config.feedForward().experts();
    return experts != null && experts.sharedSize() == 0
        ? new WeightType[] {WeightType.Q8_0}
        : new WeightType[] {WeightType.Q8_0, WeightType.BF16};
  }

  @Test
  void shouldKeep8BitFloatsAndStayNearTheFormulas() {
    final ModelConfig config = Families.mixtral();
    try (LoadedModel model = RandomModels.of(config, 33, WeightType.F8_E4M3);
        CudaDevice device = device(model)) {
      final int[] tokens = new Random(3).ints(37, 0, config.vocabularySize()).toArray();
      assertClose(
          new ReferenceModel(model).logits(tokens),
          Sequences.prefill(device, tokens, Sequences.blocks(0, tokens.length), 20));
      final String plan = device.memoryPlan().toString();
      assertTrue(plan.contains("F8_E4M3 weights"), plan);
      checkSameLogits(model);
    }
  }

  /** Head norms, and many experts: in the manner of Qwen 3. */
  @Test
  void shouldAgreeWithTheFormulasWhenATokenGoesThroughManyExperts() {
    final var experts = new FeedForwardVariant.Experts(40, 8, 32, true, 0);
    final ModelConfig config =
        qwen()
            .with(
                AttentionVariant.PLAIN,
                new FeedForwardVariant(FeedForwardVariant.Activation.SILU, experts),
                ResidualVariant.PLAIN);
    try (LoadedModel model = RandomModels.of(config, 32, WeightType.Q8_0);
        CudaDevice device = device(model)) {
      final int[] tokens = new Random(3).ints(33, 0, config.vocabularySize()).toArray();
      assertClose(
          new ReferenceModel(model).logits(tokens),
          Sequences.prefill(device, tokens, Sequences.blocks(0, tokens.length), 33));
    }
  }

  /** With NaN. */
  static void poison(Device device) {
    final BlockCopies copies = device.blockCopies();
    final MemorySegment block = copies.take().fill((byte) 0xFF);
    for (int i = 0; i < device.blockCount(); i++) copies.write(i, block);
    copies.give(block);
  }

  @Test
  void shouldAnswerAsTheTrainedModelDoes() throws IOException {
    final Golden golden = Golden.all().getFirst();
    try (LoadedModel model = ModelFiles.open(TestModels.bundled());
        CudaDevice device = device(model)) {
      final int[] blocks = Sequences.blocks(0, golden.prompt().length);
      final float[] logits = Sequences.prefill(device, golden.prompt(), blocks, 33);
      for (int i = 0; i < golden.topIds().length; i++) {
        assertEquals(golden.topLogits()[i], logits[golden.topIds()[i]], LOGIT_ERROR_MAX);
      }
    }
  }

  /** Q4_K, Q6_K and F16 have kernels; Q5_K and Q4_0 are widened. */
  @ParameterizedTest
  @ValueSource(strings = {"f16", "q6_k", "q5_k_m", "q4_k_m", "q4_0"})
  void shouldAgreeWithTheFormulasForEachWeightType(String type) throws IOException {
    final int[] tokens = Arrays.copyOf(Golden.all().getFirst().prompt(), 7);
    try (LoadedModel model = ModelFiles.open(TestModels.tinyGguf("stator-tiny-" + type + ".gguf"));
        CudaDevice device = device(model)) {
      assertClose(
          new ReferenceModel(model).logits(tokens),
          Sequences.prefill(device, tokens, Sequences.blocks(0, tokens.length), 5));
    }
  }

  @Test
  void shouldPoolHiddenStatesBesideLogits() {
    final ModelConfig config = RandomModels.LLAMA;
    try (LoadedModel model = RandomModels.of(config, 3, WeightType.Q8_0);
        CudaDevice device = device(model)) {
      final int[] tokens = new Random(4).ints(9, 0, config.vocabularySize()).toArray();
      final float[] last = pooled(device, tokens, Pooling.LAST, 9);
      assertArrayEquals(last, pooled(device, tokens, Pooling.LAST, 4));
      final float[] mean = pooled(device, tokens, Pooling.MEAN, 9);
      assertArrayEquals(mean, pooled(device, tokens, Pooling.MEAN, 2));
      assertNotEquals(last[0], mean[0]);
    }
  }

  /** In chunks, beside a sequence that wants logits. */
  private static float[] pooled(Device device, int[] tokens, Pooling pooling, int chunk) {
    final float[] state = new float[device.embeddingSize()];
    final int[] blocks = {0};
    final int[] other = {1};
    for (int start = 0; start < tokens.length; start += chunk) {
      final int count = Math.min(chunk, tokens.length - start);
      final var slice =
          new StepInput.Slice(
              tokens, start, count, blocks, 0, new StepInput.Pooled(pooling, state));
      device.run(new StepInput(List.of(new StepInput.Slice(tokens, 0, 3, other, 2), slice)));
    }
    return state;
  }

  @Test
  void shouldShowTheMemoryThatItTakes() {
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0);
        CudaDevice device = device(model)) {
      final String plan = device.memoryPlan().toString();
      assertTrue(plan.contains("Q8_0 weights"), plan);
      assertTrue(plan.contains("KV pool: " + BLOCKS + " blocks"), plan);
    }
  }

  @Test
  void shouldRefuseMalformedStepsAndComputeOnAfterwards() {
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0);
        CudaDevice device = device(model)) {
      final var bad =
          new StepInput(List.of(new StepInput.Slice(new int[] {-1}, 0, 1, new int[1], 1)));
      final var good =
          new StepInput(List.of(new StepInput.Slice(new int[] {1}, 0, 1, new int[1], 1)));
      assertThrows(IllegalArgumentException.class, () -> device.run(bad));
      assertTrue(Float.isFinite(device.run(good).logits(0, 0)[0]));
    }
  }

  @Test
  void shouldRefuseWeightsThatAreNotFiniteAndGiveAllMemoryBack() {
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.BF16)) {
      final var norm = model.weights().outputNorm().data();
      norm.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4, Float.NaN);
      assertThrows(ModelFormatException.class, () -> device(model));
    }
  }

  @Test
  void shouldNameWhatDecidesItsBits() {
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0);
        CudaDevice device = device(model)) {
      final String fingerprint = device.numericsFingerprint();
      assertTrue(fingerprint.matches("cuda-mma-1-sm\\d+/kv-bf16/\\w+"), fingerprint);
    }
  }
}
