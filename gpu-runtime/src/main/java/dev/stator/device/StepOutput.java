package dev.stator.device;

/** The logits of a step, in device-owned memory, valid until the device's next run. */
public interface StepOutput {
  /**
   * The logits after a token, one a vocabulary entry. The caller may overwrite them.
   *
   * @param row which of the slice's tokens that wanted logits, from 0, in order
   * @throws IllegalArgumentException when the slice did not want logits of so many tokens
   */
  float[] logits(int sliceIndex, int row);

  /**
   * The likeliest token there, the first of equal ones; -1 when its logit is no finite number, or
   * any is NaN.
   *
   * @param row as for {@link #logits}
   * @throws IllegalArgumentException as {@link #logits}
   */
  default int best(int sliceIndex, int row) {
    return best(logits(sliceIndex, row));
  }

  /** The likeliest token of these logits, or -1. */
  static int best(float[] logits) {
    int best = 0;
    for (int token = 0; token < logits.length; token++) {
      if (Float.isNaN(logits[token])) return -1;
      if (logits[token] > logits[best]) best = token;
    }
    return Float.isFinite(logits[best]) ? best : -1;
  }
}
