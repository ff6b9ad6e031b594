package dev.stator.transport.device;

import com.typesafe.config.Config;
import dev.stator.transport.local.SharedFolder;
import java.nio.file.Path;
import java.time.Duration;

/**
 * {@code stator.transport.device-ipc} in reference.conf; read and checked once, at start.
 *
 * @param folder what processes that are to reach each other share, as {@code shared.folder}
 * @param threads that pull and wait for sockets
 * @param peerBlocksMax blocks on their way to one process, or pulled for one and not confirmed
 * @param windowBytes posted to one process and not answered
 * @param connectionsMax processes that may write to this one
 * @param poolsMax devices that one of them may lend
 * @param releaseTimeout how long other processes may take to let go of a device that closes
 */
public record DeviceIpcSettings(
    Path folder,
    int threads,
    int peerBlocksMax,
    long windowBytes,
    int connectionsMax,
    int poolsMax,
    Duration releaseTimeout) {
  public DeviceIpcSettings {
    requirePositive("threads", threads);
    requirePositive("peer-blocks-max", peerBlocksMax);
    requirePositive("window", windowBytes);
    requirePositive("connections-max", connectionsMax);
    requirePositive("pools-max", poolsMax);
    requirePositive("release-timeout", releaseTimeout.toNanos());
  }

  /**
   * @param config at {@code stator.transport}
   */
  public static DeviceIpcSettings from(Config config) {
    final Config own = config.getConfig("device-ipc");
    return new DeviceIpcSettings(
        SharedFolder.root(config),
        own.getInt("threads"),
        own.getInt("peer-blocks-max"),
        own.getBytes("window"),
        own.getInt("connections-max"),
        own.getInt("pools-max"),
        own.getDuration("release-timeout"));
  }

  private static void requirePositive(String key, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(
          "stator.transport.device-ipc." + key + " must be positive: " + value);
    }
  }
}
