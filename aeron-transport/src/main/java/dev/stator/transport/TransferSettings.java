package dev.stator.transport;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * {@code stator.transport} in reference.conf; read and checked once, at start.
 *
 * @param grantsMax grants open at once
 * @param exportsMax exports open at once
 * @param grantBlocksMax blocks of one grant or export
 * @param inFlightBlocksMax blocks on their way out at once
 * @param writeTimeout how long a write or read may take
 * @param pollInterval how often {@link TransferAgent#poll} is called
 * @param copyThreads threads of the in-process backend
 * @param kernels that take checksums and copy
 */
public record TransferSettings(
    int grantsMax,
    int exportsMax,
    int grantBlocksMax,
    int inFlightBlocksMax,
    Duration writeTimeout,
    Duration pollInterval,
    int copyThreads,
    BlockKernels kernels) {
  public TransferSettings {
    requirePositive("grants-max", grantsMax);
    requirePositive("exports-max", exportsMax);
    requirePositive("grant-blocks-max", grantBlocksMax);
    requirePositive("in-flight-blocks-max", inFlightBlocksMax);
    requirePositive("copy-threads", copyThreads);
    requirePositive("write-timeout", writeTimeout);
    requirePositive("poll-interval", pollInterval);
  }

  /** With the fastest kernels that run here. */
  public TransferSettings(
      int grantsMax,
      int exportsMax,
      int grantBlocksMax,
      int inFlightBlocksMax,
      Duration writeTimeout,
      Duration pollInterval,
      int copyThreads) {
    this(
        grantsMax,
        exportsMax,
        grantBlocksMax,
        inFlightBlocksMax,
        writeTimeout,
        pollInterval,
        copyThreads,
        BlockKernels.best());
  }

  /**
   * @param config at {@code stator.transport}
   */
  public static TransferSettings from(Config config) {
    return new TransferSettings(
        config.getInt("grants-max"),
        config.getInt("exports-max"),
        config.getInt("grant-blocks-max"),
        config.getInt("in-flight-blocks-max"),
        config.getDuration("write-timeout"),
        config.getDuration("poll-interval"),
        config.getInt("copy-threads"),
        BlockKernels.from(config));
  }

  private static void requirePositive(String key, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException("stator.transport." + key + " must be positive: " + value);
    }
  }

  private static void requirePositive(String key, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException("stator.transport." + key + " must be positive: " + value);
    }
  }
}
