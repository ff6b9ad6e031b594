package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.stator.device.StepInput;
import dev.stator.kv.KvLayout;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.FeedForwardVariant.Activation;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.RandomWeights;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Vector kernels are compiled to vector instructions. No clock says so on a busy machine, but the
 * heap does: a vector that C2 cannot keep in a register is an object.
 */
class HotKernelsTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Processor time of this thread until a kernel must be compiled; it takes about a second. */
  private static final Duration WORK_MAX = Duration.ofSeconds(20);

  private static final int CALLS = 8;

  /**
   * Bytes of a call. Where a loop ends the compiler may or may not box its sums: those of up to 15
   * tokens and 4 panels, a few times; within the loops it would be hundreds of times as much.
   */
  private static final long PRODUCT_BYTES_MAX = 64 << 10;

  private static final long ATTENTION_BYTES_MAX = 8 << 10; // One tile.

  private static final int ROWS = PackedMatrix.TASK_ROWS;
  private static final int COLUMNS = 512;
  private static final int MANY_TOKENS = 15; // Tiles of 8, 4, 2 and 1.
  private static final int HEAD_SIZE = 64;
  private static final int POSITIONS = 40;

  private final Random random = new Random(5);

  @BeforeEach
  void requireCompiler() {
    final String obstacle = KernelChoice.obstacle();
    assumeTrue(obstacle == null, "needs compiled vectors: " + obstacle);
  }

  @ParameterizedTest
  @EnumSource(WeightType.class)
  void shouldMultiplyInRegisters(WeightType type) {
    final WeightMatrix source = RandomWeights.matrix("w", type, ROWS, COLUMNS, 1, random);
    final float[] x = RandomWeights.activations(MANY_TOKENS * COLUMNS, random);
    final Scratch scratch = new Scratch(MANY_TOKENS, POSITIONS, HEAD_SIZE);
    try (Arena arena = Arena.ofConfined()) {
      final PanelMatrix matrix = Panels.of(source, new KernelChoice());
      matrix.place(arena.allocate(matrix.placeBytes(), 64));
      matrix.setBeyondCaches(true);
      for (int panel = 0; panel < matrix.panelCount(); panel++) matrix.pack(panel);
      for (int tokens : new int[] {1, MANY_TOKENS}) {
        assertStopsAllocating(
            type + ", tokens: " + tokens,
            PRODUCT_BYTES_MAX,
            () ->
                matrix.multiplyVector(
                    0, PackedMatrix.TASK_PANELS, x, 0, COLUMNS, tokens, scratch.out, scratch));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void shouldAttendInRegisters(KvType type) {
    final var layout = new KvLayout(1, 1, HEAD_SIZE, type, CpuDevice.BLOCK_SIZE);
    final int[] blocks = {2, 0, 1};
    final int stride = JavaAttention.TILE_QUERIES * HEAD_SIZE;
    final float[] q = RandomWeights.activations(stride, random);
    final float[] out = new float[stride];
    final KernelChoice choice = new KernelChoice();
    choice.useVectors(true);
    final Scratch[] scratch = {new Scratch(1, POSITIONS, HEAD_SIZE)};
    try (Arena arena = Arena.ofConfined()) {
      final var cache =
          new KvCache(layout, arena.allocate(blocks.length * layout.blockBytes(), 64));
      final var heads = Attention.Heads.plain(HEAD_SIZE, JavaAttention.TILE_QUERIES);
      final var attention = Attention.inJava(heads, cache, POSITIONS, choice, arena, scratch);
      assertStopsAllocating(
          "attention to " + type,
          ATTENTION_BYTES_MAX,
          () ->
              attention.run(
                  q, out, stride, 0, 1, POSITIONS - 1, blocks, 0, 0, Integer.MAX_VALUE, 0));
    }
  }

  @Test
  void shouldNormaliseInRegisters() {
    final float[] x = RandomWeights.activations(COLUMNS, random);
    final float[] to = new float[COLUMNS];
    final float[] chains = new float[PackedMatrix.PANEL_ROWS];
    assertStopsAllocating(
        "RMS norm", 0, () -> Norms.rms(x, 0, x, COLUMNS, 1e-5f, to, 0, chains, true));
  }

  @Test
  void shouldActivateInRegisters() {
    final float[] x = RandomWeights.activations(COLUMNS, random);
    final float[] to = new float[COLUMNS];
    assertStopsAllocating(
        "SiLU", 0, () -> FloatMath.gatedTimes(Activation.SILU, x, x, 0, COLUMNS, to, 0, true));
  }

  @Test
  void shouldLeaveScalarKernelsBehindWhenTheDeviceIsWarm() {
    final int[] tokens = new int[MANY_TOKENS];
    final int[] blocks = {0};
    final var input =
        new StepInput(List.of(new StepInput.Slice(tokens, 0, MANY_TOKENS, blocks, 1)));
    final var settings =
        new CpuDeviceSettings(1, 0, 1, MANY_TOKENS, 0, CpuDeviceSettings.Kernels.AUTO);
    final NativeKernels.Found found = NativeKernels.find();
    // F16 has no native kernel.
    try (LoadedModel model =
            RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0, WeightType.F16);
        CpuDevice device = CpuDevice.create(model, settings)) {
      final long end = cpuNs() + WORK_MAX.toNanos();
      while (!device.usesVectors()) {
        device.run(input); // The first one begins the warm-up.
        if (cpuNs() > end) fail("still on the scalar path");
      }
      final String expected =
          found.kernels() == null
              ? "Vector API"
              : found.kernels().title() + ", F16 by Vector API " + 32 * Lanes.COUNT + "-bit";
      assertTrue(device.description().contains(expected), device.description());
    }
  }

  private static void assertStopsAllocating(String what, long bytesMax, Runnable kernel) {
    final long end = cpuNs() + WORK_MAX.toNanos();
    long bytes = Long.MAX_VALUE;
    while (bytes > CALLS * bytesMax) {
      if (cpuNs() > end) fail(what + " still allocates " + bytes + " bytes in " + CALLS + " calls");
      bytes =
          allocatedBy(() -> {
            for (int i = 0; i < CALLS; i++) kernel.run();
          });
    }
  }

  private static long allocatedBy(Runnable work) {
    final long before = THREADS.getCurrentThreadAllocatedBytes();
    work.run();
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  private static long cpuNs() {
    return THREADS.getCurrentThreadCpuTime();
  }
}
