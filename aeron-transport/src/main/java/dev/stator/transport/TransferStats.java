package dev.stator.transport;

import java.util.Map;

/**
 * An agent's figures at one moment. Counters count since its start.
 *
 * @param openGrants given and not ended
 * @param openExports given and not ended
 * @param inFlightBlocks on their way out
 * @param sentBytes acknowledged as arrived
 * @param receivedBytes arrived and verified
 * @param rejected incoming blocks that were not taken, by reason
 */
public record TransferStats(
    int openGrants,
    int openExports,
    int inFlightBlocks,
    long sentBytes,
    long receivedBytes,
    Map<TransferStatus, Long> rejected) {
  public TransferStats {
    rejected = Map.copyOf(rejected);
  }

  public long rejectedBlocks() {
    return rejected.values().stream().mapToLong(Long::longValue).sum();
  }
}
