package dev.stator.transport;

import java.util.List;

/**
 * How a write ended; told exactly once. From then on nobody reads its source blocks.
 *
 * @param status {@link TransferStatus#OK} when all blocks arrived, else the first trouble
 * @param writtenBlocks acknowledged as arrived and verified
 * @param missing the moves that were not, as they ended
 */
public record WriteOutcome(
    long writeId, TransferStatus status, int writtenBlocks, List<BlockMove> missing) {
  public WriteOutcome {
    missing = List.copyOf(missing);
  }
}
