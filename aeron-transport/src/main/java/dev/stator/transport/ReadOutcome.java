package dev.stator.transport;

import java.util.List;

/**
 * How a read ended; told exactly once. From then on nobody writes into its target blocks.
 *
 * @param status {@link TransferStatus#OK} when all blocks arrived, else the first trouble
 * @param readBlocks arrived and verified
 * @param missing the moves that were not; those blocks may hold anything
 */
public record ReadOutcome(
    long readId, TransferStatus status, int readBlocks, List<BlockMove> missing) {
  public ReadOutcome {
    missing = List.copyOf(missing);
  }
}
