package dev.stator.worker;

/**
 * The node's transfer figures at one moment. Counters count since its start.
 *
 * @param openGrants promised to writers and not ended
 * @param blocksInFlight blocks on their way out
 * @param sentBytes written elsewhere, acknowledged
 * @param receivedBytes arrived and verified
 * @param rejectedBlocks came with a wrong key, grant, block, length or checksum, or too late
 */
public record TransferFigures(
    int openGrants, int blocksInFlight, long sentBytes, long receivedBytes, long rejectedBlocks) {
  public static final TransferFigures NONE = new TransferFigures(0, 0, 0, 0, 0);
}
