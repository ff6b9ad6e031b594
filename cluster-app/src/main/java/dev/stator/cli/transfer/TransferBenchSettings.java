package dev.stator.cli.transfer;

import dev.stator.cli.UsageException;
import java.time.Duration;
import java.util.List;

/**
 * What is measured.
 *
 * @param bytes moved in each round, each way
 * @param blockBytes block lengths, each measured by itself
 * @param rounds in each of which every way has its turn
 * @param latencyBlocks single blocks sent for latency
 * @param idle how long the CPU use of doing nothing is measured; zero for not at all
 */
public record TransferBenchSettings(
    long bytes, List<Integer> blockBytes, int rounds, int latencyBlocks, Duration idle) {
  private static final int BLOCKS_MAX = 65_536;

  public TransferBenchSettings {
    blockBytes = List.copyOf(blockBytes);
    require(!blockBytes.isEmpty(), "--block wants at least one length");
    for (int length : blockBytes) {
      require(length > 0 && length % 64 == 0, "--block must be a multiple of 64 bytes: " + length);
      require(
          bytes >= length && bytes / length <= BLOCKS_MAX && bytes % length == 0,
          "--bytes must be 1.." + BLOCKS_MAX + " whole blocks of " + length + " bytes: " + bytes);
    }
    require(rounds > 0 && rounds <= 1000, "--rounds must be between 1 and 1000: " + rounds);
    require(
        latencyBlocks >= 0 && latencyBlocks <= BLOCKS_MAX,
        "--latency-blocks must be between 0 and " + BLOCKS_MAX + ": " + latencyBlocks);
    require(!idle.isNegative(), "--idle must not be negative: " + idle);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) throw new UsageException(otherwise);
  }
}
