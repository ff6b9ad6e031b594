package dev.stator.device.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

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
    BF16("bf16-pair-1");

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
  Inputs(Arena arena, Set<Form> forms, NativeKernels kernels, int tokensMax, int columnsMax) {
    this.kernels = kernels;
    for (Form form : forms) {
      if (form == Form.FLOATS) continue;
      rounded.put(form, OffHeap.allocate(arena, tokensMax * kernels.rowBytes(form, columnsMax)));
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
    final long rows = address(form);
    final int perTask = Math.max(1, VALUES_PER_TASK / columns);
    pool.run(
        (tokens + perTask - 1) / perTask,
        (task, worker) ->
            kernels.round(
                form,
                values,
                columns,
                task * perTask,
                Math.min(tokens, (task + 1) * perTask),
                tokens,
                rows));
  }

  int tokens() {
    return tokens;
  }

  float[] values() {
    return values;
  }

  /** Where the rounded inputs lie. */
  long address(Form form) {
    return rounded.get(form).address();
  }

  /** Bytes of a token's rounded inputs. */
  long rowBytes(Form form) {
    return kernels.rowBytes(form, columns);
  }

  /** Bytes of memory. */
  long bytes() {
    return rounded.values().stream().mapToLong(MemorySegment::byteSize).sum();
  }
}
