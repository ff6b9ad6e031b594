package dev.stator.worker;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * {@code stator.worker} in reference.conf; read and checked once, at start.
 *
 * @param reportInterval how often a worker reports its load
 * @param rateMaxAge how long what a worker has measured of its own work counts
 * @param reconcileInterval how often roles tell whoever they work for what they do
 * @param reconcileSequences sequences in one such message
 * @param silentIntervalsMax intervals without a word of a prefill worker until it is given up
 * @param remotePrefillTimeout how long a decode worker waits for another's blocks
 * @param takeOversMax prefill workers that a sequence tries after its first one
 * @param takeOverBlocks missing blocks from which another prefill worker is worth it
 * @param writeAttemptsMax how often a block is written until its prefill is given up
 * @param writeBlocksMax blocks in one write
 * @param writeRetryDelay pause before a write is tried again
 * @param engineFailuresMax failed steps in a row until the engine is made anew
 * @param dumpPartBlocks blocks in one part of a dump
 */
public record WorkerSettings(
    Duration reportInterval,
    Duration rateMaxAge,
    Duration reconcileInterval,
    int reconcileSequences,
    int silentIntervalsMax,
    Duration remotePrefillTimeout,
    int takeOversMax,
    int takeOverBlocks,
    int writeAttemptsMax,
    int writeBlocksMax,
    Duration writeRetryDelay,
    int engineFailuresMax,
    int dumpPartBlocks) {
  public WorkerSettings {
    requirePositive("report-interval", reportInterval);
    requirePositive("rate-max-age", rateMaxAge);
    requirePositive("reconcile-interval", reconcileInterval);
    requirePositive("reconcile-sequences", reconcileSequences);
    requirePositive("silent-intervals-max", silentIntervalsMax);
    requirePositive("remote-prefill-timeout", remotePrefillTimeout);
    requirePositive("take-over-blocks", takeOverBlocks);
    if (takeOversMax < 0) {
      throw new IllegalArgumentException(
          "stator.worker.take-overs-max must not be negative: " + takeOversMax);
    }
    requirePositive("write-attempts-max", writeAttemptsMax);
    requirePositive("write-blocks-max", writeBlocksMax);
    requirePositive("write-retry-delay", writeRetryDelay);
    requirePositive("engine-failures-max", engineFailuresMax);
    requirePositive("dump-part-blocks", dumpPartBlocks);
  }

  /**
   * @param config at {@code stator.worker}
   */
  public static WorkerSettings from(Config config) {
    return new WorkerSettings(
        config.getDuration("report-interval"),
        config.getDuration("rate-max-age"),
        config.getDuration("reconcile-interval"),
        config.getInt("reconcile-sequences"),
        config.getInt("silent-intervals-max"),
        config.getDuration("remote-prefill-timeout"),
        config.getInt("take-overs-max"),
        config.getInt("take-over-blocks"),
        config.getInt("write-attempts-max"),
        config.getInt("write-blocks-max"),
        config.getDuration("write-retry-delay"),
        config.getInt("engine-failures-max"),
        config.getInt("dump-part-blocks"));
  }

  private static void requirePositive(String key, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException("stator.worker." + key + " must be positive: " + value);
    }
  }

  private static void requirePositive(String key, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException("stator.worker." + key + " must be positive: " + value);
    }
  }
}
