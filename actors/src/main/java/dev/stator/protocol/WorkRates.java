package dev.stator.protocol;

/**
 * How quick a worker was of late, as measured; NaN for what it has not done of late.
 *
 * @param promptTokensPerSecond of steps that computed prompts
 * @param sentBytesPerSecond of writes of blocks to other workers, from post to acknowledgement
 */
public record WorkRates(double promptTokensPerSecond, double sentBytesPerSecond) {
  public static final WorkRates UNKNOWN = new WorkRates(Double.NaN, Double.NaN);
}
