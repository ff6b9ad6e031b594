package dev.stator.transport;

/**
 * How a write ended; told exactly once. From then on nobody reads its source blocks.
 *
 * @param status {@link TransferStatus#OK} when all blocks arrived, else the first trouble
 * @param writtenBlocks acknowledged as arrived and verified
 */
public record WriteOutcome(long writeId, TransferStatus status, int writtenBlocks) {}
