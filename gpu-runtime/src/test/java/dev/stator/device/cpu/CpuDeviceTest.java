package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepInput.Slice;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.FeedForwardVariant.Activation;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Sequences;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CpuDeviceTest {
  private static final int BLOCKS = 5;
  private static final CpuDeviceSettings SETTINGS =
      new CpuDeviceSettings(1, 0, BLOCKS, 32, 48, CpuDeviceSettings.Kernels.SCALAR);
  private static final int[] TOKENS = new int[64];
  private static final int[] OWN_BLOCKS = {4, 0, 2, 1};

  private final LoadedModel model = RandomModels.of(RandomModels.LLAMA, 1, WeightType.F32);
  private final CpuDevice device = CpuDevice.create(model, SETTINGS);

  @AfterEach
  void close() {
    device.close();
    model.close();
  }

  @Test
  void shouldRefuseAMalformedStepWithASentence() {
    final int[] tokens = TOKENS.clone();
    tokens[3] = 131;
    refuse("slice 0 has 0 tokens, expected at least 1", new Slice(TOKENS, 0, 0, OWN_BLOCKS, 0));
    refuse("slice 0 has start -1, expected 0 or more", new Slice(TOKENS, -1, 1, OWN_BLOCKS, 1));
    refuse(
        "slice 0 has end 49, expected at most the context length 48",
        new Slice(TOKENS, 40, 9, OWN_BLOCKS, 1));
    refuse(
        "slice 0 has end 3, expected at most its 2 tokens",
        new Slice(new int[2], 0, 3, OWN_BLOCKS, 1));
    refuse("slice 0 has 1 blocks, expected at least 2", new Slice(TOKENS, 16, 1, new int[1], 1));
    refuse("slice 0 has block 5, expected 0 to 4", new Slice(TOKENS, 0, 1, new int[] {5}, 1));
    refuse("slice 0 has block -1, expected 0 to 4", new Slice(TOKENS, 0, 1, new int[] {-1}, 1));
    refuse("slice 0 has token 131, expected 0 to 130", new Slice(tokens, 0, 4, OWN_BLOCKS, 1));
    refuse("a step has 33 tokens, expected 1 to 32", new Slice(TOKENS, 0, 33, OWN_BLOCKS, 1));
  }

  private void refuse(String sentence, Slice slice) {
    final var e =
        assertThrows(
            IllegalArgumentException.class, () -> device.run(new StepInput(List.of(slice))));
    assertEquals(sentence, e.getMessage());
  }

  @Test
  void shouldRefuseAStepOfNothing() {
    assertThrows(IllegalArgumentException.class, () -> device.run(new StepInput(List.of())));
  }

  @Test
  void shouldGiveLogitsOnlyToSlicesThatWantThem() {
    final var wanting = new Slice(TOKENS, 0, 3, new int[] {0}, 1);
    final var silent = new Slice(TOKENS, 0, 3, new int[] {1}, 0);
    final var output = device.run(new StepInput(List.of(silent, wanting)));
    assertEquals(device.vocabularySize(), output.logits(1, 0).length);
    assertThrows(IllegalArgumentException.class, () -> output.logits(0, 0));
    assertThrows(IllegalArgumentException.class, () -> output.logits(1, 1));
    assertThrows(IllegalArgumentException.class, () -> output.logits(1, -1));
    assertThrows(IllegalArgumentException.class, () -> output.logits(2, 0));
  }

  @Test
  void shouldComputeAStepWithoutLogits() {
    final int[] blocks = {3};
    device.run(new StepInput(List.of(new Slice(TOKENS, 0, 3, blocks, 0))));
    final var next = new StepInput(List.of(new Slice(TOKENS, 3, 1, blocks, 1)));
    final float[] logits = device.run(next).logits(0, 0).clone();
    final float[] whole = Sequences.prefill(device, new int[4], new int[] {0}, 4);
    for (int i = 0; i < logits.length; i++) assertEquals(whole[i], logits[i]);
  }

  @Test
  void shouldShowItsBlocksAndItsMemory() {
    assertEquals(BLOCKS, device.blockCount());
    assertEquals(48, device.contextLength());
    for (int i = 0; i < BLOCKS; i++) {
      assertEquals(device.kvLayout().blockBytes(), device.block(i).byteSize());
      assertTrue(device.block(i).isNative());
    }
    assertEquals(
        device.kvLayout().blockBytes(), device.block(1).address() - device.block(0).address());
    assertThrows(IllegalArgumentException.class, () -> device.block(BLOCKS));
    final List<MemoryPlan.Term> terms = device.memoryPlan().terms();
    assertEquals(BLOCKS * device.kvLayout().blockBytes(), terms.get(1).bytes());
    for (MemoryPlan.Term term : terms) assertTrue(term.bytes() > 0, term.what());
  }

  /** Rows that fill whole panels, but for the Q8_0 head's. */
  @Test
  void shouldShowWhichWeightsPackingWidens() {
    try (LoadedModel mixed =
            RandomModels.of(RandomModels.LLAMA, 1, WeightType.Q8_0, WeightType.IQ4_NL);
        CpuDevice other = CpuDevice.create(mixed, SETTINGS)) {
      final MemoryPlan.Term widened = other.memoryPlan().terms().get(1);
      assertEquals("IQ4_NL weights, packed: 8.5 bits a value, 4.5 in the file", widened.what());
      final long values =
          mixed.weights().matrices().stream()
              .filter(matrix -> matrix.type() == WeightType.IQ4_NL)
              .mapToLong(matrix -> (long) matrix.rowCount() * matrix.columnCount())
              .sum();
      assertEquals(values * 34 / 32, widened.bytes());
    }
  }

  @Test
  void shouldNameItsNumericsByTheWeightsBytes() {
    assertTrue(
        device.numericsFingerprint().startsWith("f32-chain-1/kv-f32/"),
        device.numericsFingerprint());
    assertEquals(device.numericsFingerprint(), fingerprint(1, WeightType.F32));
    assertNotEquals(device.numericsFingerprint(), fingerprint(2, WeightType.F32));
    assertNotEquals(device.numericsFingerprint(), fingerprint(1, WeightType.BF16));
  }

  @ParameterizedTest
  @CsvSource({"BF16, bf16, 24576", "INT8, int8, 13056"})
  void shouldNameItsKvTypeWhereverBlocksAreComparedOrCounted(
      KvType type, String title, int blockBytes) {
    try (CpuDevice other = CpuDevice.create(model, SETTINGS.withKvType(type))) {
      assertTrue(
          other.numericsFingerprint().startsWith("f32-chain-1/kv-" + title + "/"),
          other.numericsFingerprint());
      assertNotEquals(device.kvLayout().toString(), other.kvLayout().toString());
      assertEquals(blockBytes, other.kvLayout().blockBytes());
      final MemoryPlan.Term pool = other.memoryPlan().terms().get(1);
      assertEquals(
          "KV pool: %d blocks of %d bytes, %s".formatted(BLOCKS, blockBytes, title), pool.what());
      assertEquals(BLOCKS * other.kvLayout().blockBytes(), pool.bytes());
    }
  }

  private static String fingerprint(long seed, WeightType type) {
    final var otherSettings =
        new CpuDeviceSettings(2, 0, 1, 8, 0, CpuDeviceSettings.Kernels.VECTOR);
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, seed, type);
        CpuDevice device = CpuDevice.create(model, otherSettings)) {
      return device.numericsFingerprint();
    }
  }

  @Test
  void shouldNameTheTensorWhenAWeightIsNotFinite() {
    try (LoadedModel broken = RandomModels.of(RandomModels.LLAMA, 1, WeightType.F32)) {
      final var down = broken.weights().layers().get(1).down();
      down.data().set(ValueLayout.JAVA_INT_UNALIGNED, 400, 0x7FC00000);
      final var e =
          assertThrows(ModelFormatException.class, () -> CpuDevice.create(broken, SETTINGS));
      assertEquals(
          "tensor " + down.name() + " has a value that is not finite in row 0", e.getMessage());
    }
  }

  @Test
  void shouldNameTheEmbeddingWhenAValueIsNotFinite() {
    final ModelConfig tied = RandomModels.LLAMA;
    final ModelConfig untied =
        new ModelConfig(
            tied.architecture(),
            1,
            tied.hiddenSize(),
            tied.intermediateSize(),
            tied.headCount(),
            tied.keyValueHeadCount(),
            tied.headSize(),
            tied.vocabularySize(),
            tied.contextLength(),
            tied.rmsNormEpsilon(),
            tied.ropeTheta(),
            tied.ropeScaling(),
            tied.ropeLayout(),
            false,
            false,
            false);
    try (LoadedModel broken = RandomModels.of(untied, 1, WeightType.F32)) {
      final var embedding = broken.weights().tokenEmbedding();
      final long row = 4L * untied.hiddenSize();
      embedding.data().set(ValueLayout.JAVA_INT_UNALIGNED, 70 * row, 0x7FC00000);
      final var e =
          assertThrows(ModelFormatException.class, () -> CpuDevice.create(broken, SETTINGS));
      assertEquals(
          "tensor " + embedding.name() + " has a value that is not finite in row 70",
          e.getMessage());
    }
  }

  @Test
  void shouldTakeItsSettingsFromTheConfiguration() {
    final var settings = CpuDeviceSettings.from(ConfigFactory.defaultReference());
    assertEquals(Runtime.getRuntime().availableProcessors(), settings.threads());
    assertEquals(CpuDeviceSettings.Kernels.AUTO, settings.kernels());
    assertEquals(KvType.F32, settings.kvType());
    assertEquals(CpuDeviceSettings.KV_BYTES_AUTO, settings.kvBytes());
    assertEquals(CpuDeviceSettings.Pack.WHILE_SERVING, settings.pack());
  }

  @ParameterizedTest
  @CsvSource({
    "threads, -1, 'stator.device.cpu.threads is -1, expected 1 to 1024'",
    "kv-bytes, 0, 'stator.device.cpu.kv-bytes is 0, expected more than 0, or auto'",
    "step-tokens-max, 0, 'stator.device.cpu.step-tokens-max is 0, expected 1 or more'",
    "kernels, fast, 'stator.device.cpu.kernels is ''fast'', expected auto, native, java, vector or"
        + " scalar'",
    "kv-type, fp8, 'stator.device.cpu.kv-type is ''fp8'', expected f32, bf16 or int8'",
    "pack, later, 'stator.device.cpu.pack is ''later'', expected before-ready or while-serving'"
  })
  void shouldRefuseASettingWithASentence(String key, String value, String sentence) {
    final var config =
        ConfigFactory.parseString("stator.device.cpu." + key + "=" + value)
            .withFallback(ConfigFactory.defaultReference());
    final var e =
        assertThrows(IllegalArgumentException.class, () -> CpuDeviceSettings.from(config));
    assertEquals(sentence, e.getMessage());
  }

  @Test
  void shouldHoldASequenceOfTheContextLengthWhenTheMachineAffordsIt() {
    final long gib = 1L << 30;
    assertEquals(2 * gib, CpuDeviceSettings.autoKvBytes(2 * gib, 64 * gib));
    assertEquals(gib, CpuDeviceSettings.autoKvBytes(2 * gib, 8 * gib));
    assertEquals(gib / 2, CpuDeviceSettings.autoKvBytes(1, 64 * gib));
  }

  @Test
  void shouldRefuseMoreMemoryThanAnArrayHolds() {
    final var huge = new CpuDeviceSettings(1, 0, 1, 1 << 28, 0, CpuDeviceSettings.Kernels.SCALAR);
    final var e = assertThrows(IllegalArgumentException.class, () -> CpuDevice.create(model, huge));
    assertTrue(
        e.getMessage().startsWith("stator.device.cpu.step-tokens-max is 268435456"),
        e.getMessage());
    final var small = new CpuDeviceSettings(1, 1000, 0, 8, 0, CpuDeviceSettings.Kernels.SCALAR);
    assertThrows(IllegalArgumentException.class, () -> CpuDevice.create(model, small));
  }

  @Test
  void shouldChangeToVectorKernelsOnceTheyAreCompiled() {
    final var choices = new KernelChoice.All();
    final var warmUp =
        new WarmUp(64, KvType.F32, Activation.SILU, Set.of(WeightType.Q8_0), choices);
    warmUp.start();
    warmUp.await();
    assertTrue(choices.projections(WeightType.Q8_0).usesVectors());
    assertTrue(choices.others().usesVectors());
  }
}
