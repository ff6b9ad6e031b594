package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.Device;
import dev.stator.device.HostBlocks;
import dev.stator.device.StepInput;
import dev.stator.kv.KvLayout;
import dev.stator.model.AttentionVariant;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.Pooling;
import dev.stator.model.ResidualVariant;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightType;
import dev.stator.testing.Families;
import dev.stator.testing.RandomModels;
import dev.stator.testing.ReferenceModel;
import dev.stator.testing.Schedules;
import dev.stator.testing.Sequences;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Several emulated GPUs, whose streams work at random moments or as late as they may; or real ones,
 * of which one may be several.
 */
class ParallelCudaDeviceTest {
  private static final Schedules SCHEDULES = new Schedules(2, 18, 33, 1);
  private static final int BLOCKS = 8;
  private static final long GPU_BYTES = 64 << 20;
  private static final int PROMPT = CudaDevice.BLOCK_SIZE;
  private static final CudaDeviceSettings SETTINGS =
      new CudaDeviceSettings(
          0,
          CudaDeviceSettings.KV_BYTES_AUTO,
          0.5,
          BLOCKS,
          SCHEDULES.stepTokensMax(),
          0,
          CudaDeviceSettings.STAGING_BYTES_MIN,
          CudaDeviceSettings.HOST_BLOCKS_MIN,
          4 << 20,
          1 << 16,
          true,
          true,
          1);

  /** With biases and head norms; inner values and vocabulary are cut into unequal parts. */
  private static final ModelConfig WIDE = wide(192);

  private static ModelConfig wide(int innerSize) {
    return new ModelConfig(
        "qwen",
        2,
        128,
        innerSize,
        8,
        4,
        32,
        131,
        512,
        1e-5f,
        10_000f,
        new RopeScaling.None(),
        ModelConfig.RopeLayout.HALVES,
        true,
        true,
        true);
  }

  private final int[] tokens = new Random(5).ints(PROMPT + 3, 0, WIDE.vocabularySize()).toArray();

  /**
   * What can be wrong differs: post-norms, caps and windows here, biases and unequal parts there,
   * experts' inner values or a shared one's.
   */
  static List<Arguments> shapes() {
    return List.of(
        Arguments.of(2, Named.of("gemma 2", Families.gemma2())),
        Arguments.of(4, Named.of("wide", WIDE)),
        Arguments.of(2, Named.of("shared expert", mixture(WIDE, 96, 160))),
        Arguments.of(4, Named.of("mixture", mixture(WIDE, 160, 0))));
  }

  private static ModelConfig mixture(ModelConfig config, int innerSize, int sharedSize) {
    final var experts = new FeedForwardVariant.Experts(5, 2, innerSize, true, sharedSize);
    return config.with(
        config.attention(),
        new FeedForwardVariant(FeedForwardVariant.Activation.SILU, experts),
        config.residual());
  }

  private static LoadedModel wide() {
    return RandomModels.of(WIDE, 31, WeightType.Q8_0, WeightType.BF16);
  }

  private static Device device(LoadedModel model, int degree) {
    return degree == 1
        ? CudaDevice.create(model, SETTINGS, CudaTests.open())
        : ParallelCudaDevice.create(
            model, SETTINGS, CudaTests.isDevice() ? gpus(degree) : emulated(degree));
  }

  private static List<Driver> gpus(int degree) {
    final int count = Cuda.find().gpus().size();
    return IntStream.range(0, degree).mapToObj(rank -> Cuda.open(rank % count)).toList();
  }

  private static List<Driver> emulated(int degree) {
    final List<Driver> drivers = new ArrayList<>();
    for (int i = 0; i < degree; i++) {
      drivers.add(
          i % 2 == 0
              ? new EmulatedDriver(CudaTests.library(), GPU_BYTES, new Random(i))
              : new EmulatedDriver(CudaTests.library(), GPU_BYTES));
    }
    return drivers;
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void shouldAgreeWithTheFormulas(int degree, ModelConfig config) {
    try (LoadedModel model = RandomModels.of(config, 31, CudaDeviceTest.typesOf(config))) {
      checkFormulas(model, degree);
    }
  }

  private static void checkFormulas(LoadedModel model, int degree) {
    try (Device device = device(model, degree)) {
      final int[] prompt = new Random(3).ints(37, 0, model.config().vocabularySize()).toArray();
      CudaDeviceTest.assertClose(
          new ReferenceModel(model).logits(prompt),
          Sequences.prefill(device, prompt, Sequences.blocks(0, prompt.length), 20));
    }
  }

  /** Columns are cut between squares of 128, which share a scale. */
  @Test
  void shouldAgreeWithTheFormulasWhen8BitFloatsAreCut() {
    for (ModelConfig config : List.of(wide(320), mixture(WIDE, 320, 320))) {
      try (LoadedModel model = RandomModels.of(config, 31, WeightType.F8_E4M3)) {
        checkFormulas(model, 2);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void shouldGiveTheSameLogitsInAnyBatchAndChunking(int degree, ModelConfig config) {
    try (LoadedModel model = RandomModels.of(config, 7, CudaDeviceTest.typesOf(config))) {
      SCHEDULES.check(
          () -> device(model, degree),
          () -> device(model, degree),
          CudaDeviceTest::poison,
          config.vocabularySize(),
          11);
    }
  }

  /** Of 20 rows all ranks add all up, of 33 each a slice. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAddUpSlicesToTheSameBits(boolean hasPostNorms) {
    final ModelConfig config =
        WIDE.with(
            AttentionVariant.PLAIN,
            FeedForwardVariant.PLAIN,
            new ResidualVariant(1, 0, hasPostNorms, 0));
    try (LoadedModel model = RandomModels.of(config, 31, WeightType.Q8_0, WeightType.BF16);
        Device device = device(model, 4)) {
      final int[] prompt = new Random(3).ints(37, 0, config.vocabularySize()).toArray();
      final float[] few = Sequences.prefill(device, prompt, Sequences.blocks(0, 37), 20).clone();
      assertArrayEquals(few, Sequences.prefill(device, prompt, Sequences.blocks(4, 37), 33));
    }
  }

  /** The first layer's keys and values depend on no sum; they tell where each head lies. */
  @Test
  void shouldHoldBlocksThatAreThoseOfOneGpu() {
    try (LoadedModel model = wide();
        Device one = device(model, 1);
        Device four = device(model, 4)) {
      assertEquals(one.kvLayout(), four.kvLayout());
      final MemorySegment expected = block(one, 3);
      final MemorySegment actual = block(four, 3);
      final KvLayout layout = one.kvLayout();
      assertEquals(
          -1,
          actual
              .asSlice(0, layout.layerBytes())
              .mismatch(expected.asSlice(0, layout.layerBytes())));
      assertNotEquals(-1, actual.mismatch(expected)); // Behind a sum of four parts.
      assertNotEquals(one.numericsFingerprint(), four.numericsFingerprint());
      assertTrue(
          four.numericsFingerprint().matches("cuda-mma-1-sm\\d+-tp4/kv-bf16/\\w{32}"),
          four.numericsFingerprint());
    }
  }

  /** A block of the prompt. */
  private MemorySegment block(Device device, int block) {
    Sequences.prefill(device, Arrays.copyOf(tokens, PROMPT), new int[] {block}, PROMPT);
    final MemorySegment buffer = device.blockCopies().take();
    device.blockCopies().read(block, buffer);
    return buffer;
  }

  /** By way of one with four, which holds the same bytes in other parts. */
  @Test
  void shouldDecodeOnTheSameBitsWhereBlocksCameFromElsewhere() {
    try (LoadedModel model = wide();
        Device from = device(model, 2);
        Device by = device(model, 4);
        Device to = device(model, 2)) {
      assertEquals(from.numericsFingerprint(), to.numericsFingerprint());
      CudaDeviceTest.poison(to);
      final MemorySegment sent = block(from, 5);
      by.blockCopies().write(1, sent);
      final MemorySegment passed = by.blockCopies().take();
      by.blockCopies().read(1, passed);
      to.blockCopies().write(6, passed);
      assertArrayEquals(next(from, 5), next(to, 6));
      assertFalse(from.blockCopies().copyTo(5, by.blockCopies(), 2)); // Ranks do not match.
      assertTrue(from.blockCopies().copyTo(5, to.blockCopies(), 2));
      assertArrayEquals(next(from, 5), next(to, 2));
    }
  }

  @Test
  void shouldDecodeOnTheSameBitsWhenABlockComesBackFromTheHost() throws Exception {
    try (LoadedModel model = wide();
        Device device = device(model, 2)) {
      Sequences.prefill(device, Arrays.copyOf(tokens, PROMPT), new int[] {5}, PROMPT);
      final float[] expected = next(device, 5);
      final var stored = new CompletableFuture<RuntimeException>();
      device.hostBlocks().store(List.of(new HostBlocks.Copy(5, 1)), stored::complete);
      assertNull(stored.get(30, TimeUnit.SECONDS));
      CudaDeviceTest.poison(device);
      final var loaded = new CompletableFuture<RuntimeException>();
      device.hostBlocks().load(List.of(new HostBlocks.Copy(3, 1)), loaded::complete);
      assertNull(loaded.get(30, TimeUnit.SECONDS));
      assertArrayEquals(expected, next(device, 3));
    }
  }

  /** Logits behind all tokens, of which the first lie in the block. */
  private float[] next(Device device, int block) {
    final var slice =
        new StepInput.Slice(tokens, PROMPT, tokens.length - PROMPT, new int[] {block, 0}, 1);
    return device.run(new StepInput(List.of(slice))).logits(0, 0).clone();
  }

  @Test
  void shouldWantStepsAsLongAsItTakes() {
    try (LoadedModel model = wide()) {
      for (int degree : new int[] {1, 2}) {
        try (Device device = device(model, degree)) {
          assertEquals(SETTINGS.stepTokensMax(), device.stepTokensWanted());
        }
      }
    }
  }

  @Test
  void shouldPoolHiddenStatesAndShowEachRanksMemory() {
    try (LoadedModel model = wide();
        Device device = device(model, 2)) {
      final float[] state = new float[device.embeddingSize()];
      final var pooled = new StepInput.Pooled(Pooling.LAST, state);
      final var wants = new StepInput.Slice(tokens, 0, 3, new int[] {0}, 0, pooled);
      device.run(new StepInput(List.of(wants)));
      assertNotEquals(0, state[0]);
      final String plan = device.memoryPlan().toString();
      for (int rank = 0; rank < 2; rank++) {
        assertTrue(plan.contains("rank " + rank + ": KV pool: " + BLOCKS + " blocks"), plan);
        assertTrue(plan.contains("rank " + rank + ": sums of ranks"), plan);
      }
      assertFalse(plan.contains("rank 2"), plan);
      assertTrue(device.description().startsWith("2 GPUs together, which reach each other: "));
    }
  }

  @Test
  void shouldSayWhichGpuFailed() {
    final List<Driver> drivers = emulated(2);
    try (LoadedModel model = wide();
        Device device = ParallelCudaDevice.create(model, SETTINGS, drivers)) {
      next(device, 1);
      ((EmulatedDriver) drivers.get(1)).breakDown();
      final var e = assertThrows(CudaException.class, () -> next(device, 1));
      assertTrue(e.getMessage().startsWith("rank 1 of 2, on emulated"), e.getMessage());
      assertTrue(e.getMessage().endsWith("the GPU is lost"), e.getMessage());
    }
  }

  @Test
  void shouldGiveAllMemoryBackWhenARankCannotBeMade() {
    final List<Driver> drivers =
        List.of(CudaTests.emulated(), new EmulatedDriver(CudaTests.library(), 1 << 16));
    try (LoadedModel model = wide()) {
      final var e =
          assertThrows(
              OutOfMemoryError.class, () -> ParallelCudaDevice.create(model, SETTINGS, drivers));
      assertTrue(e.getMessage().startsWith("rank 1 of 2: "), e.getMessage());
      for (Driver driver : drivers) assertThrows(CudaException.class, driver::attach);
    }
  }

  @Test
  void shouldCheckEachPartOfTheWeights() {
    try (LoadedModel model = RandomModels.of(WIDE, 3, WeightType.BF16)) {
      final MemorySegment down = model.weights().layers().getFirst().down().data();
      down.set(ValueLayout.JAVA_SHORT_UNALIGNED, down.byteSize() - 2, (short) 0x7F80);
      assertThrows(ModelFormatException.class, () -> device(model, 4));
    }
  }
}
