package dev.stator.transport.shared;

import com.typesafe.config.Config;
import dev.stator.transport.BlockKernels;
import dev.stator.transport.local.SharedFolder;
import java.nio.file.Path;

/**
 * {@code stator.transport.shared} in reference.conf; read and checked once, at start.
 *
 * @param folder what processes that are to reach each other share; in memory
 * @param threads that take checksums and copy, each with a lane to every other process
 * @param peerBlocksMax blocks on their way to one process
 * @param windowBytes posted on one lane and not answered
 * @param stagingBytes for blocks that do not lie in shared memory, of each length
 * @param connectionsMax processes that may write to this one
 * @param poolsMax pools that one of them may have
 * @param kernels that take checksums and copy
 */
public record SharedSettings(
    Path folder,
    int threads,
    int peerBlocksMax,
    long windowBytes,
    long stagingBytes,
    int connectionsMax,
    int poolsMax,
    BlockKernels kernels) {
  public SharedSettings {
    requirePositive("threads", threads);
    requirePositive("peer-blocks-max", peerBlocksMax);
    requirePositive("window", windowBytes);
    requirePositive("staging-bytes", stagingBytes);
    requirePositive("connections-max", connectionsMax);
    requirePositive("pools-max", poolsMax);
  }

  /**
   * @param config at {@code stator.transport}
   */
  public static SharedSettings from(Config config) {
    final Config shared = config.getConfig("shared");
    return new SharedSettings(
        SharedFolder.root(config),
        shared.getInt("threads"),
        shared.getInt("peer-blocks-max"),
        shared.getBytes("window"),
        shared.getBytes("staging-bytes"),
        shared.getInt("connections-max"),
        shared.getInt("pools-max"),
        BlockKernels.from(config));
  }

  private static void requirePositive(String key, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(
          "stator.transport.shared." + key + " must be positive: " + value);
    }
  }
}
