package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.FeedForwardVariant.Activation;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the vector kernels on made-up data until C2 has compiled them, then lets the device use
 * them, one operation after another. Uncompiled, a vector operation takes microseconds: a first
 * answer would take seconds. Since scalar and vector kernels compute the same bits, nobody sees the
 * change but by speed.
 *
 * <p><b>Threads:</b> one of its own, a daemon, which ends by itself.
 */
final class WarmUp implements Runnable, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  /**
   * After so much processor time of its own thread, vectors are taken to be slow for good. A loaded
   * machine may take a minute by the clock.
   */
  private static final Duration WORK_MAX = Duration.ofSeconds(30);

  /** Measurements in a row in which vectors must be the faster ones. */
  private static final int FAST_TIMES = 3;

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int RUNS_PER_TIME = 4;
  private static final int ROWS = PackedMatrix.TASK_ROWS;
  private static final int COLUMNS = PanelMatrix.CHUNK;
  private static final int TOKENS = 15; // Tiles of 8, 4, 2 and 1.
  private static final int POSITIONS = 40;

  /** What this JVM has compiled already: weight types, and the others. */
  private static final Set<Object> READY = ConcurrentHashMap.newKeySet();

  private interface Work {
    void run(boolean usesVectors);
  }

  private final int headSize;
  private final KvType attended; // Null where attention is native.
  private final String others;
  private final Activation activation;
  private final Set<WeightType> types;
  private final KernelChoice.All choices;
  private Thread thread; // Null before the start. The device's thread only.
  private volatile boolean isClosed;

  /**
   * @param attended what Java's attention reads; {@code null} where attention is native
   */
  WarmUp(
      int headSize,
      KvType attended,
      Activation activation,
      Set<WeightType> types,
      KernelChoice.All choices) {
    this.headSize = headSize;
    this.attended = attended;
    others =
        (attended == null ? "" : "attention to " + attended.title() + " and ")
            + "element-wise functions";
    this.activation = activation;
    this.types = types;
    this.choices = choices;
    for (WeightType type : types) {
      if (READY.contains(type)) choices.projections(type).useVectors(true);
    }
    if (READY.contains(others)) choices.others().useVectors(true);
  }

  /**
   * Begins, unless it has. For a small model best after the scalar kernels have run once: the
   * compiler's queue is then theirs no more.
   */
  void start() {
    if (thread != null) return;
    thread = Thread.ofPlatform().name("stator-cpu-warm-up").daemon().start(this);
  }

  /** Waits until the kernels are chosen, which {@link #WORK_MAX} bounds. */
  void await() {
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt(); // The choice goes on; until then scalar kernels serve.
    }
  }

  @Override
  public void run() {
    final long start = System.nanoTime();
    try (Arena arena = Arena.ofShared()) {
      for (WeightType type : types) {
        makeReady(type, choices.projections(type), projection(type, arena), start);
      }
      final Work attention = attended == null ? _ -> {} : attention(arena);
      final Work elementWise = elementWise();
      final Work both =
          usesVectors -> {
            attention.run(usesVectors);
            elementWise.run(usesVectors);
          };
      makeReady(others, choices.others(), both, start);
    }
  }

  private void makeReady(Object what, KernelChoice choice, Work work, long start) {
    if (choice.usesVectors()) return;
    final long startCpu = THREADS.getCurrentThreadCpuTime();
    int fastTimes = 0;
    while (fastTimes < FAST_TIMES) {
      if (isClosed) return;
      if (THREADS.getCurrentThreadCpuTime() - startCpu > WORK_MAX.toNanos()) {
        LOG.warn(
            "Vector kernels of {} are slower than scalar ones in this JVM: scalar ones stay", what);
        return;
      }
      final long timeNs = time(work, true);
      fastTimes = timeNs < time(work, false) ? fastTimes + 1 : 0;
      LockSupport.parkNanos(timeNs); // The compiler needs the processor more than this thread does.
    }
    READY.add(what);
    choice.useVectors(true);
    LOG.debug(
        "Vector kernels of {} are compiled, after {} ms",
        what,
        (System.nanoTime() - start) / 1_000_000);
  }

  private static long time(Work work, boolean usesVectors) {
    final long start = System.nanoTime();
    for (int i = 0; i < RUNS_PER_TIME; i++) work.run(usesVectors);
    return System.nanoTime() - start;
  }

  private Work projection(WeightType type, Arena arena) {
    final MemorySegment zeros =
        MemorySegment.ofArray(new byte[(int) (ROWS * type.byteSize(COLUMNS))]);
    final PanelMatrix matrix =
        Panels.of(new WeightMatrix("warm-up", type, ROWS, COLUMNS, zeros), new KernelChoice());
    matrix.place(arena.allocate(matrix.placeBytes(), 64));
    matrix.setBeyondCaches(true);
    final float[] x = new float[TOKENS * COLUMNS];
    final Scratch scratch = new Scratch(TOKENS, POSITIONS, headSize);
    return usesVectors -> {
      for (int tokens : new int[] {1, TOKENS}) {
        if (usesVectors) matrix.multiplyVector(0, 4, x, 0, COLUMNS, tokens, scratch.out, scratch);
        else matrix.multiplyScalar(0, 4, x, 0, COLUMNS, tokens, scratch.out, scratch);
      }
    };
  }

  private Work attention(Arena arena) {
    final var layout = new KvLayout(1, 1, headSize, attended, CpuDevice.BLOCK_SIZE);
    final int[] blocks = {2, 0, 1};
    final MemorySegment kv = arena.allocate(blocks.length * layout.blockBytes(), 64);
    final KernelChoice own = new KernelChoice();
    final Attention attention =
        Attention.inJava(
            Attention.Heads.plain(headSize, 4),
            new KvCache(layout, kv),
            POSITIONS,
            own,
            arena,
            new Scratch[] {new Scratch(1, POSITIONS, headSize)});
    final int stride = 4 * headSize;
    final float[] q = new float[stride];
    final float[] out = new float[stride];
    return usesVectors -> {
      own.useVectors(usesVectors);
      attention.run(q, out, stride, 0, 1, POSITIONS - 1, blocks, 0, 0, Integer.MAX_VALUE, 0);
    };
  }

  private Work elementWise() {
    final float[] x = new float[COLUMNS];
    final float[] chains = new float[PackedMatrix.PANEL_ROWS];
    return usesVectors -> {
      Norms.rms(x, 0, x, COLUMNS, 1e-5f, x, 0, chains, usesVectors);
      FloatMath.gatedTimes(activation, x, x, 0, COLUMNS, x, 0, usesVectors);
    };
  }

  /** Stops soon; kernels that are not ready stay scalar. */
  @Override
  public void close() {
    isClosed = true;
  }
}
