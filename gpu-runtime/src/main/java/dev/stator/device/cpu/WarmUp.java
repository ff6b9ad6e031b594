package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import dev.stator.model.ModelConfig;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the vector kernels on made-up data until C2 has compiled them, then lets the device use them. Uncompiled, a vector
 * operation takes microseconds: a first answer would take seconds. Since scalar and vector kernels compute the same bits,
 * nobody sees the change but by speed.
 *
 * <p><b>Threads:</b> one of its own, a daemon, which ends by itself.
 */
final class WarmUp implements Runnable, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  /** After this, vectors are taken to be slow for good. Compiling takes seconds of one processor. */
  private static final Duration TIME_MAX = Duration.ofSeconds(60);

  /** Rounds in a row in which every kernel must be fast. */
  private static final int FAST_ROUNDS = 3;

  private static final int ROWS = PackedMatrix.TASK_ROWS;
  private static final int COLUMNS = PanelMatrix.CHUNK;
  private static final int TOKENS = 15; // Tiles of 8, 4, 2 and 1.
  private static final int POSITIONS = 40;

  /** What this JVM has compiled already. */
  private static final Set<Object> READY = ConcurrentHashMap.newKeySet();

  private interface Work {
    void run(boolean usesVectors);
  }

  private final ModelConfig config;
  private final Set<WeightType> types;
  private final KernelChoice choice;
  private volatile boolean isClosed;

  private WarmUp(ModelConfig config, Set<WeightType> types, KernelChoice choice) {
    this.config = config;
    this.types = types;
    this.choice = choice;
  }

  /** Begins; vectors are used at once when this JVM has compiled all kernels before. */
  static WarmUp start(ModelConfig config, Set<WeightType> types, KernelChoice choice) {
    final WarmUp warmUp = new WarmUp(config, types, choice);
    if (READY.containsAll(types)) choice.useVectors(true);
    else Thread.ofPlatform().name("stator-cpu-warm-up").daemon().start(warmUp);
    return warmUp;
  }

  @Override
  public void run() {
    final long start = System.nanoTime();
    try (Arena arena = Arena.ofShared()) {
      final List<Work> kernels = new ArrayList<>();
      for (WeightType type : types) if (!READY.contains(type)) kernels.add(projection(type, arena));
      kernels.add(attention(arena));
      kernels.add(norms());
      int fastRounds = 0;
      while (fastRounds < FAST_ROUNDS && !isClosed) {
        if (System.nanoTime() - start > TIME_MAX.toNanos()) {
          LOG.warn("Vector kernels are slower than scalar ones in this JVM: staying with scalar kernels");
          return;
        }
        boolean isFast = true;
        for (Work kernel : kernels) isFast &= time(kernel, true) < time(kernel, false);
        fastRounds = isFast ? fastRounds + 1 : 0;
      }
    }
    if (isClosed) return;
    READY.addAll(types);
    choice.useVectors(true);
    LOG.debug("Vector kernels are ready after {} ms", (System.nanoTime() - start) / 1_000_000);
  }

  private static long time(Work kernel, boolean usesVectors) {
    final long start = System.nanoTime();
    for (int i = 0; i < 4; i++) kernel.run(usesVectors);
    return System.nanoTime() - start;
  }

  private Work projection(WeightType type, Arena arena) {
    final MemorySegment zeros = MemorySegment.ofArray(new byte[(int) (ROWS * type.byteSize(COLUMNS))]);
    final PanelMatrix matrix =
        Panels.of(new WeightMatrix("warm-up", type, ROWS, COLUMNS, zeros), new KernelChoice());
    matrix.place(arena.allocate(matrix.placeBytes(), 64));
    matrix.setBeyondCaches(true);
    final float[] x = new float[TOKENS * COLUMNS];
    final Scratch scratch = new Scratch(TOKENS, POSITIONS, config.headSize());
    return usesVectors -> {
      for (int tokens : new int[] {1, TOKENS}) {
        if (usesVectors) matrix.multiplyVector(0, 4, x, 0, COLUMNS, tokens, scratch.out, scratch);
        else matrix.multiplyScalar(0, 4, x, 0, COLUMNS, tokens, scratch.out, scratch);
      }
    };
  }

  private Work attention(Arena arena) {
    final var layout = new KvLayout(1, 1, config.headSize(), KvLayout.KvType.F32, CpuDevice.BLOCK_SIZE);
    final int[] blocks = {2, 0, 1};
    final MemorySegment kv = arena.allocate(blocks.length * layout.blockBytes(), 64);
    final KernelChoice own = new KernelChoice();
    final Attention attention = new Attention(config.headSize(), 4, layout, kv, own);
    final int stride = 4 * config.headSize();
    final float[] q = new float[stride];
    final float[] out = new float[stride];
    final Scratch scratch = new Scratch(1, POSITIONS, config.headSize());
    return usesVectors -> {
      own.useVectors(usesVectors);
      attention.run(q, out, stride, 0, 1, POSITIONS - 1, blocks, 0, 0, scratch);
    };
  }

  private static Work norms() {
    final float[] x = new float[COLUMNS];
    final float[] chains = new float[PackedMatrix.PANEL_ROWS];
    return usesVectors -> {
      Norms.rms(x, 0, x, COLUMNS, 1e-5f, x, 0, chains, usesVectors);
      FloatMath.siluTimes(x, x, 0, COLUMNS, x, 0, usesVectors);
    };
  }

  /** Stops soon; kernels that are not ready stay scalar. */
  @Override
  public void close() {
    isClosed = true;
  }
}
