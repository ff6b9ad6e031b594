package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Where a backend brings what has arrived for an agent. Whatever a hostile sender makes a backend
 * call here, no memory changes but blocks of a living grant whose key was presented.
 *
 * <p><b>Threads:</b> any.
 */
public interface BlockSink {
  /**
   * Begins one block that arrives in pieces: checks the right to write. A landing that stands still
   * holds nothing up: the grant may end, and a later landing may take over its block.
   *
   * @param blockBytes the block's whole length, as the sender said it
   * @return never {@code null}; {@link BlockLanding#ended} when it was refused
   */
  BlockLanding begin(long grantId, long keyHigh, long keyLow, int targetBlock, long blockBytes);

  /**
   * Takes a whole block: checks the right to write, copies, verifies what was copied. Anything but
   * a full block for a block of a living grant leaves all memory as it was.
   *
   * @param checksum CRC32C of the bytes as they left
   * @param bytes owned by the caller, read during the call only, each byte once
   */
  TransferStatus deliver(
      long grantId, long keyHigh, long keyLow, int targetBlock, int checksum, MemorySegment bytes);

  /**
   * Takes whole blocks, each as {@link #deliver} does; the end of one is no matter of the others. A
   * block whose bytes cannot be read has failed. Where a block comes twice, one of them is busy.
   *
   * @return how each ended
   */
  default List<TransferStatus> deliverAll(List<BlockDelivery> deliveries) {
    return deliveries.stream()
        .map(each ->
            deliver(
                each.grantId(),
                each.keyHigh(),
                each.keyLow(),
                each.targetBlock(),
                each.checksum(),
                each.bytes()))
        .toList();
  }

  /**
   * Takes one {@link TransferBackend#send message}. What makes no sense is counted and ignored.
   *
   * @param message owned by the caller, read during the call only
   */
  void receive(MemorySegment message);
}
