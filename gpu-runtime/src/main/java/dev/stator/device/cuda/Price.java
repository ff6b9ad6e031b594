package dev.stator.device.cuda;

/**
 * What the same bytes cost in one place: a kernel, a layer's product or a whole step as it runs
 * here, beside the fastest of what an engine without that promise may choose for the batch, the
 * context and the device.
 *
 * @param what such as {@code decode attention, 8 x 4096}
 * @param candidates that the fastest was chosen from, ours among them
 * @param ours what runs
 * @param sameBits the fastest that gives the same bits; better than ours where ours is chosen badly
 * @param fastest of all, whatever its bits
 */
public record Price(String what, int candidates, Timing ours, Timing sameBits, Timing fastest) {
  /**
   * @param seconds the median of rounds in which all three had their turns
   */
  public record Timing(String name, double seconds) {}

  /** Of our seconds to the fastest's: the price. */
  public double ratio() {
    return ours.seconds / fastest.seconds;
  }

  /** The part of it that a better choice among kernels of the same bits would save. */
  public double choiceRatio() {
    return ours.seconds / sameBits.seconds;
  }
}
