package dev.stator.device;

/** The logits of a step, in device-owned memory, valid until the device's next run. */
public interface StepOutput {
  /**
   * The logits after a slice's last token, one a vocabulary entry. The caller may overwrite them.
   *
   * @throws IllegalArgumentException when the slice did not want logits
   */
  float[] logits(int sliceIndex);
}
