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
}
