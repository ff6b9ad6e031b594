package dev.stator.device.cpu;

import dev.stator.model.FeedForwardVariant.Activation;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightScales;
import dev.stator.model.WeightType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One matrix of one weight type in the layout of one kernel family, to be measured by itself.
 * Weights are zeros: the time of no kernel depends on their values.
 *
 * <p><b>Threads:</b> one calls; a pool of its own shares the work, as in a device.
 */
public final class KernelBenchmark implements AutoCloseable {
  /** The family in Java; the others are native, named after their instruction sets. */
  public static final String VECTOR = "vector";

  private static final int HEAD_SIZE = 64; // Attention is compiled too, and not measured.
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  private final Arena arena = Arena.ofShared();
  private final WorkerPool pool;
  private final StoredMatrix matrix;
  private final Inputs inputs;
  private final float[] x;
  private final Scratch[] scratch;
  private final WorkerPool.Task multiply;
  private final WorkerPool.Task read;

  /**
   * Packs the matrix, and waits until Java's kernels are compiled where they are measured.
   *
   * @param family one of {@link #families} of the type
   * @param tokensMax for {@link #multiplySeconds}
   * @throws dev.stator.model.ModelFormatException when columns are not whole blocks of the type
   * @throws IllegalArgumentException when the family does not compute the type here
   */
  public KernelBenchmark(
      String family, WeightType type, int rows, int columns, int tokensMax, int threads) {
    if (!families(type).contains(family)) {
      throw new IllegalArgumentException("no kernels '" + family + "' for " + type);
    }
    pool = new WorkerPool(threads);
    final MemorySegment zeros = OffHeap.allocate(arena, rows * type.byteSize(columns));
    final WeightMatrix source =
        new WeightMatrix("benchmark", type, rows, columns, scales(type), zeros);
    final NativeKernels kernels = Native.KERNELS.get(family);
    matrix = kernels == null ? javaMatrix(source) : nativeMatrix(source, kernels);
    matrix.place(OffHeap.allocate(arena, matrix.placeBytes()));
    matrix.setBeyondCaches(true);
    pool.run(matrix.taskCount(), (task, worker) -> matrix.packTask(task));
    inputs = new Inputs(arena, Set.of(matrix.inputForm()), kernels, tokensMax, columns);
    x = new float[Math.multiplyExact(tokensMax, columns)];
    for (int i = 0; i < x.length; i++) x[i] = (i * 31 % 201 - 100) / 100f;
    scratch = new Scratch[threads];
    for (int i = 0; i < threads; i++) {
      scratch[i] = new Scratch(tokensMax, CpuDevice.BLOCK_SIZE, HEAD_SIZE);
    }
    multiply =
        (task, worker) -> {
          final Scratch own = scratch[worker];
          final int end = firstPanel(task + 1);
          matrix.multiply(firstPanel(task), end, inputs, 0, inputs.tokens(), own.out, own);
        };
    read =
        (task, worker) ->
            scratch[worker].touched +=
                sum(
                    matrix.data(),
                    firstPanel(task) * matrix.panelBytes,
                    firstPanel(task + 1) * matrix.panelBytes);
  }

  private static StoredMatrix javaMatrix(WeightMatrix source) {
    final KernelChoice.All choices = new KernelChoice.All();
    final WarmUp warmUp =
        new WarmUp(
            HEAD_SIZE,
            null,
            Activation.SILU,
            Set.of(StoredMatrix.packedAs(source.type())),
            choices);
    warmUp.start();
    warmUp.await();
    return Panels.of(source, choices.projections(StoredMatrix.packedAs(source.type())));
  }

  private static StoredMatrix nativeMatrix(WeightMatrix source, NativeKernels kernels) {
    return new NativeMatrix(
        source, kernels.format(StoredMatrix.packedAs(source.type())).orElseThrow());
  }

  private static WeightScales scales(WeightType type) {
    return type == WeightType.F8_E4M3 ? WeightScales.ofTensor(1) : null;
  }

  /** The families that compute a type in this JVM on this processor, the fastest first. */
  public static List<String> families(WeightType type) {
    final List<String> names = new ArrayList<>();
    Native.KERNELS.forEach((name, kernels) -> {
      if (kernels.format(StoredMatrix.packedAs(type)).isPresent()) names.add(name);
    });
    if (KernelChoice.obstacle() == null) names.add(VECTOR);
    return names;
  }

  private static final class Native {
    static final Map<String, NativeKernels> KERNELS = Collections.unmodifiableMap(load());

    private static Map<String, NativeKernels> load() {
      final Map<String, NativeKernels> all = new LinkedHashMap<>();
      for (NativeKernels.InstructionSet set : NativeKernels.InstructionSet.values()) {
        try {
          NativeKernels.load(set).ifPresent(kernels -> all.put(set.title(), kernels));
        } catch (IOException | IllegalArgumentException notHere) {
          continue; // As a device does: without that instruction set.
        }
      }
      return all;
    }
  }

  /** Bytes that a multiplication reads. */
  public long packedBytes() {
    return matrix.bytes();
  }

  /** Seconds of the matrix times {@code tokens} rows of inputs, their rounding included. */
  public double multiplySeconds(int tokens) {
    final long start = System.nanoTime();
    inputs.set(x, matrix.columns(), tokens);
    inputs.prepare(matrix.inputForm(), pool);
    pool.run(matrix.taskCount(), multiply);
    return (System.nanoTime() - start) / 1e9;
  }

  /** Seconds of reading {@link #packedBytes} and doing next to nothing with them. */
  public double readSeconds() {
    final long start = System.nanoTime();
    pool.run(matrix.taskCount(), read);
    return (System.nanoTime() - start) / 1e9;
  }

  private int firstPanel(int task) {
    return Math.min(matrix.panelCount(), task * PackedMatrix.TASK_PANELS);
  }

  /** Of whole groups of four vectors; bytes beyond are left out. */
  private static long sum(MemorySegment data, long from, long to) {
    final int step = 4 * Lanes.COUNT;
    IntVector a = IntVector.zero(Lanes.INTS);
    IntVector b = a;
    IntVector c = a;
    IntVector d = a;
    for (long at = from; at + 4 * step <= to; at += 4 * step) {
      a = a.add(IntVector.fromMemorySegment(Lanes.INTS, data, at, ORDER));
      b = b.add(IntVector.fromMemorySegment(Lanes.INTS, data, at + step, ORDER));
      c = c.add(IntVector.fromMemorySegment(Lanes.INTS, data, at + 2 * step, ORDER));
      d = d.add(IntVector.fromMemorySegment(Lanes.INTS, data, at + 3 * step, ORDER));
    }
    return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
  }

  @Override
  public void close() {
    pool.close();
    arena.close();
  }
}
