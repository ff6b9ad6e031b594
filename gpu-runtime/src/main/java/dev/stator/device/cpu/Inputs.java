package dev.stator.device.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.function.IntUnaryOperator;

/**
 * The inputs of a projection, one row a token, in each form that the matrices of this model want.
 *
 * <p><b>Threads:</b> one sets and prepares; then any may read.
 */
final class Inputs {
  /** How a kernel reads its inputs, which decides the program that it runs. */
  enum Form {
    /** As they are. */
    FLOATS("f32-chain-1"),
    /** Rounded to 8 bits, with a scale for each 32. */
    INT8("int8-block-1"),
    /** Rounded to 16 bits. */
    BF16("bf16-pair-1"),
    /** The same, multiplied 32 columns at a time. */
    BF16_TILES("bf16-tile-1");

    private final String program;

    Form(String program) {
      this.program = program;
    }

    /** The program's name in {@code NUMERICS.md}: a new one whenever its bits change. */
    String program() {
      return program;
    }
  }

  /** Values that one thread rounds in less time than another takes to wake. */
  private static final int VALUES_PER_TASK = 32 * 1024;

  private final NativeKernels kernels;
  private final Map<Form, MemorySegment> rounded = new EnumMap<>(Form.class);
  private float[] values;
  private int columns;
  private int tokens;

  /**
   * @param forms which may be asked for
   * @param kernels which round; {@code null} where floats are the only form
   */
  Inputs(Arena arena, Set<Form> forms, NativeKernels kernels, int rowsMax, int columnsMax) {
    this.kernels = kernels;
    for (Form form : forms) {
      if (form == Form.FLOATS) continue;
      rounded.put(form, OffHeap.allocate(arena, rowsMax * kernels.rowBytes(form, columnsMax)));
    }
  }

  /** Takes new inputs, {@code columns} a token, side by side. */
  void set(float[] values, int columns, int tokens) {
    this.values = values;
    this.columns = columns;
    this.tokens = tokens;
  }

  /** Rounds the inputs, unless floats are wanted. */
  void prepare(Form form, WorkerPool pool) {
    if (form == Form.FLOATS) return;
    final int perTask = Math.max(1, VALUES_PER_TASK / columns);
    pool.run(
        (tokens + perTask - 1) / perTask,
        (task, worker) -> {
          final int first = task * perTask;
          final int end = Math.min(tokens, first + perTask);
          kernels.round(form, values, 0, columns, first, end, tokens, address(form, 0));
        });
  }

  /**
   * As {@link #prepare}, where tokens {@code [start(g), start(g + 1))} are multiplied for
   * themselves.
   */
  void prepareGroups(Form form, int count, IntUnaryOperator start, WorkerPool pool) {
    if (form == Form.FLOATS) return;
    pool.run(
        count,
        (group, worker) -> {
          final int first = start.applyAsInt(group);
          final int rows = start.applyAsInt(group + 1) - first;
          kernels.round(form, values, first, columns, 0, rows, rows, address(form, first));
        });
  }

  int tokens() {
    return tokens;
  }

  float[] values() {
    return values;
  }

  /** Where the rounded inputs of a group lie, or of a token at the start of a tile in it. */
  long address(Form form, int token) {
    return rounded.get(form).address() + token * kernels.rowBytes(form, columns);
  }

  /** Bytes of memory. */
  long bytes() {
    return rounded.values().stream().mapToLong(MemorySegment::byteSize).sum();
  }
}
