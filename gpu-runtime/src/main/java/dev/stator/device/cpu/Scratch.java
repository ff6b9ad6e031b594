package dev.stator.device.cpu;

import java.lang.foreign.MemorySegment;

/**
 * One worker's memory between the caches and the step's activations. Owned by that worker during a
 * task.
 */
final class Scratch {
  /** Takes a panel that is not packed where it belongs; {@code null} once none is left. */
  MemorySegment panel;

  /** A chunk of a panel as it is packed, for the scalar kernels. */
  final byte[] bytes = new byte[PanelMatrix.CHUNK_BYTES_MAX];

  /** A unit of decoded float panels. */
  final float[] weights = new float[PanelMatrix.UNIT_PANELS * PanelMatrix.CHUNK_FLOATS];

  // Scales and minimums of one chunk of a group of panels, for the kernels that compute them
  // beforehand.
  final float[] scales = new float[KQuants.SCALES_MAX];
  final float[] minimums = new float[KQuants.SCALES_MAX];

  /** Takes sums that nobody needs, so that their loops are not dropped. */
  long touched;

  /** A task's outputs, and a second matrix's for the same rows. */
  final float[] out;

  final float[] out2;

  /** Sixteen chains of a sum. */
  final float[] chains = new float[PackedMatrix.PANEL_ROWS];

  // Of the queries of an attention tile (`block`: one head's keys or values, for the scalar
  // kernels): scores, then weights, one row each; sums of weights;
  // outputs; where they lie.
  final float[] scores;
  final float[] block;
  final float[] sums = new float[JavaAttention.TILE_QUERIES];
  final float[] heads;
  final int[] queryOffsets = new int[JavaAttention.TILE_QUERIES];
  final int[] queryStarts = new int[JavaAttention.TILE_QUERIES];
  final int[] queryLengths = new int[JavaAttention.TILE_QUERIES];

  Scratch(int tokensMax, int contextLength, int headSize) {
    out = new float[tokensMax * PackedMatrix.TASK_ROWS];
    out2 = new float[tokensMax * PackedMatrix.TASK_ROWS];
    scores = new float[JavaAttention.TILE_QUERIES * Attention.paddedLength(contextLength)];
    block = new float[headSize * CpuDevice.BLOCK_SIZE];
    heads = new float[JavaAttention.TILE_QUERIES * headSize];
  }

  long bytes() {
    return bytes.length
        + 4L
            * (scales.length
                + minimums.length
                + block.length
                + weights.length
                + out.length
                + out2.length
                + scores.length
                + heads.length);
  }
}
