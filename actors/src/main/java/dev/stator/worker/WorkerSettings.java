package dev.stator.worker;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * {@code stator.worker} in reference.conf; read and checked once, at start.
 *
 * @param reportInterval how often a worker reports its load
 * @param remotePrefillTimeout how long a decode worker waits for another's blocks
 * @param writeAttemptsMax how often a block is written until its prefill is given up
 * @param writeBlocksMax blocks in one write
 * @param writeRetryDelay pause before a write is tried again
 * @param engineFailuresMax failed steps in a row until the engine is made anew
 * @param dumpPartBlocks blocks in one part of a dump
 */
public record WorkerSettings(
    Duration reportInterval,
    Duration remotePrefillTimeout,
    int writeAttemptsMax,
    int writeBlocksMax,
    Duration writeRetryDelay,
    int engineFailuresMax,
    int dumpPartBlocks) {
  public WorkerSettings {
    requirePositive("report-interval", reportInterval);
    requirePositive("remote-prefill-timeout", remotePrefillTimeout);
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
        config.getDuration("remote-prefill-timeout"),
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
