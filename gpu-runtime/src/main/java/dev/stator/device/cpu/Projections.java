package dev.stator.device.cpu;

import dev.stator.model.FeedForwardVariant.Activation;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * Runs projections over the pool: each task computes the outputs of up to 64 rows of one matrix for
 * all tokens, and puts them where they belong.
 */
final class Projections {
  /** Weight bytes times tokens below which a second thread costs more than it saves. */
  private static final long PARALLEL_BYTES_MIN = 96 * 1024;

  /** A matrix and what becomes of its outputs. */
  interface Output {
    PackedMatrix matrix();

    /**
     * Takes rows {@code [row, row + count)} of all tokens from {@code out}, {@link
     * PackedMatrix#TASK_ROWS} a token.
     */
    void accept(float[] out, int row, int count, int tokens);
  }

  private record Store(PackedMatrix matrix, float[] to, float[] bias) implements Output {
    @Override
    public void accept(float[] out, int row, int count, int tokens) {
      for (int t = 0; t < tokens; t++) {
        final int at = t * matrix.rows() + row;
        System.arraycopy(out, t * PackedMatrix.TASK_ROWS, to, at, count);
        if (bias == null) continue;
        for (int r = 0; r < count; r++) to[at + r] += bias[row + r];
      }
    }
  }

  private record Add(PackedMatrix matrix, float[] to) implements Output {
    @Override
    public void accept(float[] out, int row, int count, int tokens) {
      for (int t = 0; t < tokens; t++) {
        final int at = t * matrix.rows() + row;
        for (int r = 0; r < count; r++) to[at + r] += out[t * PackedMatrix.TASK_ROWS + r];
      }
    }
  }

  private record StoreRows(PackedMatrix matrix, float[][] to) implements Output {
    @Override
    public void accept(float[] out, int row, int count, int tokens) {
      for (int t = 0; t < tokens; t++)
        System.arraycopy(out, t * PackedMatrix.TASK_ROWS, to[t], row, count);
    }
  }

  private final WorkerPool pool;
  private final KernelChoice choice;
  private final Scratch[] scratch;
  private final Inputs inputs;
  private final Activation activation;

  Projections(
      WorkerPool pool,
      Scratch[] scratch,
      Inputs inputs,
      KernelChoice choice,
      Activation activation) {
    this.inputs = inputs;
    this.activation = activation;
    this.choice = choice;
    this.pool = pool;
    this.scratch = scratch;
  }

  /** {@code to = outputs (+ bias)}; {@code bias} may be {@code null}. */
  Output store(PackedMatrix matrix, float[] to, float[] bias) {
    return new Store(matrix, to, bias);
  }

  /** {@code to += outputs}. */
  Output add(PackedMatrix matrix, float[] to) {
    return new Add(matrix, to);
  }

  /** {@code to[token] = outputs}. */
  Output storeRows(PackedMatrix matrix, float[][] to) {
    return new StoreRows(matrix, to);
  }

  /** Projects the same inputs, one row a token, by several matrices at once. */
  void run(float[] x, int tokens, Output... outputs) {
    prepare(x, tokens, outputs);
    int taskCount = 0;
    long bytes = 0;
    for (Output output : outputs) {
      taskCount += output.matrix().taskCount();
      bytes += output.matrix().bytes();
    }
    share(
        taskCount,
        bytes * tokens,
        (task, worker) -> {
          int index = task;
          int o = 0;
          while (index >= outputs[o].matrix().taskCount())
            index -= outputs[o++].matrix().taskCount();
          final PackedMatrix matrix = outputs[o].matrix();
          final float[] out = scratch[worker].out;
          multiply(matrix, index, 0, tokens, out, scratch[worker]);
          outputs[o].accept(out, index * PackedMatrix.TASK_ROWS, rowsOf(matrix, index), tokens);
        });
  }

  /** {@code to = activation(gate) * up}. */
  void runGated(float[] x, int tokens, PackedMatrix gate, PackedMatrix up, float[] to) {
    inputs.set(x, gate.columns(), tokens);
    inputs.prepare(gate.inputForm(), pool);
    if (up.inputForm() != gate.inputForm()) inputs.prepare(up.inputForm(), pool);
    share(
        gate.taskCount(),
        (gate.bytes() + up.bytes()) * tokens,
        (task, worker) -> gated(gate, up, task, 0, tokens, to, scratch[worker]));
  }

  /**
   * Rows {@code [start(g), start(g + 1))} of {@code to} from the same rows of {@code x}, each group
   * by its own matrices, all of one shape.
   */
  void runGatedGroups(float[] x, Groups groups, float[] to) {
    prepare(x, groups, groups::gate, groups::up);
    final int each = groups.gate(0).taskCount();
    share(
        groups.count() * each,
        (groups.gate(0).bytes() + groups.up(0).bytes()) * groups.start(groups.count()),
        (task, worker) -> {
          final int g = task / each;
          final int from = groups.start(g);
          final int rows = groups.start(g + 1) - from;
          gated(groups.gate(g), groups.up(g), task % each, from, rows, to, scratch[worker]);
        });
  }

  /** As {@link #runGatedGroups}, by one matrix. */
  void runDownGroups(float[] x, Groups groups, float[] to) {
    prepare(x, groups, groups::down);
    final int each = groups.down(0).taskCount();
    share(
        groups.count() * each,
        groups.down(0).bytes() * groups.start(groups.count()),
        (task, worker) -> {
          final int g = task / each;
          final int from = groups.start(g);
          final int rows = groups.start(g + 1) - from;
          final PackedMatrix down = groups.down(g);
          final float[] out = scratch[worker].out;
          multiply(down, task % each, from, rows, out, scratch[worker]);
          final int row = task % each * PackedMatrix.TASK_ROWS;
          for (int t = 0; t < rows; t++) {
            final int at = (from + t) * down.rows() + row;
            System.arraycopy(out, t * PackedMatrix.TASK_ROWS, to, at, rowsOf(down, task % each));
          }
        });
  }

  private void prepare(float[] x, int tokens, Output... outputs) {
    inputs.set(x, outputs[0].matrix().columns(), tokens);
    final Set<Inputs.Form> forms = EnumSet.noneOf(Inputs.Form.class);
    for (Output output : outputs) {
      final Inputs.Form form = output.matrix().inputForm();
      if (forms.add(form)) inputs.prepare(form, pool);
    }
  }

  /** Rounds the rows of each group for itself. */
  @SafeVarargs
  private void prepare(float[] x, Groups groups, IntFunction<PackedMatrix>... roles) {
    final int count = groups.count();
    inputs.set(x, roles[0].apply(0).columns(), groups.start(count));
    final Set<Inputs.Form> forms = EnumSet.noneOf(Inputs.Form.class);
    for (IntFunction<PackedMatrix> matrix : roles) {
      for (int g = 0; g < count; g++) {
        final Inputs.Form form = matrix.apply(g).inputForm();
        if (forms.add(form)) inputs.prepareGroups(form, count, groups::start, pool);
      }
    }
  }

  /** Neighbouring rows that go through the same matrices. */
  interface Groups {
    /** At least one. */
    int count();

    /** The group's first row; that of {@link #count} is the number of rows. */
    int start(int group);

    PackedMatrix gate(int group);

    PackedMatrix up(int group);

    PackedMatrix down(int group);
  }

  private void gated(
      PackedMatrix gate,
      PackedMatrix up,
      int task,
      int firstRow,
      int tokens,
      float[] to,
      Scratch own) {
    multiply(gate, task, firstRow, tokens, own.out, own);
    multiply(up, task, firstRow, tokens, own.out2, own);
    final int count = rowsOf(gate, task);
    final boolean usesVectors = choice.usesVectors();
    for (int t = 0; t < tokens; t++) {
      final int from = t * PackedMatrix.TASK_ROWS;
      final int at = (firstRow + t) * gate.rows() + task * PackedMatrix.TASK_ROWS;
      FloatMath.gatedTimes(activation, own.out, own.out2, from, count, to, at, usesVectors);
    }
  }

  private void multiply(
      PackedMatrix matrix, int task, int firstRow, int tokens, float[] out, Scratch scratch) {
    final int panel = task * PackedMatrix.TASK_PANELS;
    final int panelEnd = Math.min(matrix.panelCount(), panel + PackedMatrix.TASK_PANELS);
    matrix.multiply(panel, panelEnd, inputs, firstRow, tokens, out, scratch);
  }

  private static int rowsOf(PackedMatrix matrix, int task) {
    return Math.min(PackedMatrix.TASK_ROWS, matrix.rows() - task * PackedMatrix.TASK_ROWS);
  }

  private void share(int taskCount, long work, WorkerPool.Task task) {
    if (work < PARALLEL_BYTES_MIN) {
      for (int i = 0; i < taskCount; i++) task.run(i, 0);
    } else {
      pool.run(taskCount, task);
    }
  }
}
