package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Weights repacked so that the values of 16 output rows lie side by side for each input {@code k}:
 * lanes are output rows, and no lane ever meets another. Rows beyond the last are zero.
 *
 * <p>One token goes through {@link #multiplyOne}, which decodes in registers. More tokens share
 * values that {@link #unpack} decodes once into a float panel in the cache, which {@link
 * FloatTiles} multiplies. Both run the same chain.
 */
abstract class PanelMatrix extends StoredMatrix {
  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /** Inputs that are decoded at a time; a multiple of every format's block. */
  static final int CHUNK = 256;

  /** Bytes of the largest panel chunk, an F32 panel's. */
  static final int CHUNK_BYTES_MAX = CHUNK * PANEL_ROWS * Float.BYTES;

  /** Columns of a float panel, and its step from one panel of a task to the next. */
  static final int CHUNK_FLOATS = CHUNK * PANEL_ROWS;

  /** Inputs that the kernel of one token takes at a time; a multiple of every format's block. */
  static final int ONE_CHUNK = 2048;

  /** Tokens up to which decoding in registers again for each beats decoding once to memory. */
  private static final int ONE_BY_ONE_MAX = 3;

  /** Inputs whose weights are fetched at a time when several tokens share them. */
  private static final int TOUCH_CHUNK = 1024;

  /** Panels that are decoded at a time: two vectors at least. */
  static final int UNIT_PANELS = Lanes.PER_PANEL == 1 ? 2 : 1;

  // A task's four vectors are streams: vector i lies in panel i / Lanes.PER_PANEL of the group,
  // from row ROWi on.
  static final int ROW0 = 0;
  static final int ROW1 = 1 % Lanes.PER_PANEL * Lanes.COUNT;
  static final int ROW2 = 2 % Lanes.PER_PANEL * Lanes.COUNT;
  static final int ROW3 = 3 % Lanes.PER_PANEL * Lanes.COUNT;
  static final int GROUP_PANELS = 4 / Lanes.PER_PANEL;

  private final int chunkBytes;
  private final KernelChoice choice;
  private boolean isBeyondCaches;

  /**
   * @param chunkBytes bytes of a panel's {@link #CHUNK} inputs
   */
  PanelMatrix(WeightMatrix source, long panelBytes, int chunkBytes, KernelChoice choice) {
    super(source, panelBytes);
    this.chunkBytes = chunkBytes;
    this.choice = choice;
  }

  /**
   * Decodes inputs {@code [k, kEnd)} of a panel into {@code to[toOffset + (i - k) * 16 + row]}.
   *
   * @param k a multiple of {@link #CHUNK}
   */
  abstract void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch);

  /**
   * Continues the chains of up to {@code GROUP_PANELS} panels for one token by inputs {@code [k,
   * kEnd)}.
   *
   * @param k a multiple of {@link #ONE_CHUNK}
   * @param out chains, 16 a panel from {@code outOffset} on
   */
  abstract void multiplyOne(
      int panel,
      int panelEnd,
      int k,
      int kEnd,
      float[] x,
      int xOffset,
      float[] out,
      int outOffset,
      Scratch scratch);

  @Override
  public final Inputs.Form inputForm() {
    return Inputs.Form.FLOATS;
  }

  @Override
  public final void multiply(
      int panel,
      int panelEnd,
      Inputs inputs,
      int firstToken,
      int tokens,
      float[] out,
      Scratch scratch) {
    final float[] x = inputs.values();
    final int from = firstToken * columns;
    if (choice.usesVectors()) {
      multiplyVector(panel, panelEnd, x, from, columns, tokens, out, scratch);
    } else {
      multiplyScalar(panel, panelEnd, x, from, columns, tokens, out, scratch);
    }
  }

  /** {@link #multiply} by vector kernels. */
  final void multiplyVector(
      int panel,
      int panelEnd,
      float[] x,
      int xOffset,
      int xStride,
      int tokens,
      float[] out,
      Scratch scratch) {
    Arrays.fill(out, 0, tokens * TASK_ROWS, 0f);
    if (tokens <= ONE_BY_ONE_MAX) {
      multiplyOneByOne(panel, panelEnd, x, xOffset, xStride, tokens, out, scratch);
    } else {
      multiplyTiles(panel, panelEnd, x, xOffset, xStride, tokens, out, scratch);
    }
  }

  private void multiplyOneByOne(
      int panel,
      int panelEnd,
      float[] x,
      int xOffset,
      int xStride,
      int tokens,
      float[] out,
      Scratch scratch) {
    final boolean touches = isBeyondCaches && (tokens > 1 || isSlow());
    for (int p = panel; p < panelEnd; p += GROUP_PANELS) {
      for (int k = 0; k < columns; k += ONE_CHUNK) {
        final int kEnd = Math.min(columns, k + ONE_CHUNK);
        if (touches) scratch.touched += touch(p, Math.min(panelEnd, p + GROUP_PANELS), k, kEnd);
        for (int t = 0; t < tokens; t++) {
          final int to = t * TASK_ROWS + (p - panel) * PANEL_ROWS;
          multiplyOne(p, panelEnd, k, kEnd, x, xOffset + t * xStride, out, to, scratch);
        }
      }
    }
  }

  /** {@link #multiply} by scalar kernels. */
  final void multiplyScalar(
      int panel,
      int panelEnd,
      float[] x,
      int xOffset,
      int xStride,
      int tokens,
      float[] out,
      Scratch scratch) {
    Arrays.fill(out, 0, tokens * TASK_ROWS, 0f);
    for (int p = panel; p < panelEnd; p++) {
      for (int k = 0; k < columns; k += CHUNK) {
        final int count = Math.min(columns - k, CHUNK);
        final int bytes = (int) (bytesOf(k + count) - bytesOf(k));
        MemorySegment.copy(
            data(), ValueLayout.JAVA_BYTE, p * panelBytes + bytesOf(k), scratch.bytes, 0, bytes);
        ScalarKernels.decode(packedAs, scratch.bytes, count, scratch.weights);
        for (int t = 0; t < tokens; t++) {
          final int to = t * TASK_ROWS + (p - panel) * PANEL_ROWS;
          ScalarKernels.multiply(scratch.weights, count, x, xOffset + t * xStride + k, out, to);
        }
      }
    }
  }

  private void multiplyTiles(
      int panel,
      int panelEnd,
      float[] x,
      int xOffset,
      int xStride,
      int tokens,
      float[] out,
      Scratch scratch) {
    final float[] weights = scratch.weights;
    for (int k = 0; k < columns; k += CHUNK) {
      final int kEnd = Math.min(columns, k + CHUNK);
      if (isBeyondCaches && k % TOUCH_CHUNK == 0) {
        scratch.touched += touch(panel, panelEnd, k, Math.min(columns, k + TOUCH_CHUNK));
      }
      for (int p = panel; p < panelEnd; p += UNIT_PANELS) {
        final int unitEnd = Math.min(panelEnd, p + UNIT_PANELS);
        for (int i = p; i < unitEnd; i++)
          unpack(i, k, kEnd, weights, (i - p) * CHUNK_FLOATS, scratch);
        FloatTiles.multiply(
            weights, kEnd - k, x, xOffset + k, xStride, tokens, out, (p - panel) * PANEL_ROWS);
      }
    }
  }

  /**
   * Reads a byte of each cache line. Kernels that take many instructions a line cannot keep enough
   * reads from memory under way; this loop does nothing else, and they then find their weights in
   * the cache.
   */
  private long touch(int panel, int panelEnd, int k, int kEnd) {
    long sum = 0;
    for (int p = panel; p < panelEnd; p++) {
      final long from = p * panelBytes + bytesOf(k);
      final long to = p * panelBytes + bytesOf(kEnd);
      for (long at = from; at < to; at += 64) sum += data().get(ValueLayout.JAVA_BYTE, at);
    }
    return sum;
  }

  /** Whether {@link #multiplyOne} takes so many instructions a byte that reading ahead pays. */
  boolean isSlow() {
    return false;
  }

  @Override
  final void setBeyondCaches(boolean isBeyondCaches) {
    this.isBeyondCaches = isBeyondCaches;
  }

  /**
   * Bytes of a panel that hold its first {@code k} inputs; {@code k} is at a chunk's end or the
   * row's.
   */
  private long bytesOf(int k) {
    return k == columns ? panelBytes : (long) k / CHUNK * chunkBytes;
  }

  /** Where stream {@code i} of a group begins; streams without a panel repeat the last one. */
  final long streamOffset(int panel, int panelEnd, int i) {
    return Math.min(panel + i / Lanes.PER_PANEL, panelEnd - 1) * panelBytes;
  }

  /** Where stream {@code i} of a group is stored. */
  static int outOffset(int panel, int panelEnd, int i) {
    return Math.min(i / Lanes.PER_PANEL, panelEnd - 1 - panel) * PANEL_ROWS
        + i % Lanes.PER_PANEL * Lanes.COUNT;
  }
}
