package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
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
   * Takes whole blocks: checks the right to write, copies, verifies what was copied. Anything but a
   * full block for a block of a living grant leaves all memory as it was, and the end of one is no
   * matter of the others. A block whose bytes cannot be read has failed. Where a block comes twice,
   * one of them is busy.
   *
   * @param deliveries whose bytes are read during the call only, each byte once
   * @return how each ended
   */
  List<TransferStatus> deliverAll(List<BlockDelivery> deliveries);

  /** {@link #deliverAll} of one. */
  default TransferStatus deliver(BlockDelivery delivery) {
    return deliverAll(List.of(delivery)).getFirst();
  }

  /**
   * Takes a whole block past the CPU: checks the right to write, and has it copied. Only a block of
   * a living grant changes.
   *
   * @return how it ended; {@code null} when there is no such way, and nothing was written
   */
  default TransferStatus deliver(StraightDelivery delivery) {
    return null;
  }

  /**
   * Takes whole blocks out of another process's device: checks the right to write, and has them
   * pulled, which is waited for. Only blocks of living grants change. {@link
   * TransferStatus#UNREACHABLE} means that their memory does not get at that device.
   *
   * @return of each how it ended, or that it waits to be confirmed
   */
  default List<PulledBlock> pullAll(PeerPool from, List<BlockPull> pulls) {
    return Collections.nCopies(pulls.size(), NoPull.UNREACHABLE);
  }

  /**
   * Takes one {@link TransferBackend#send message}. What makes no sense is counted and ignored.
   *
   * @param message owned by the caller, read during the call only
   */
  void receive(MemorySegment message);
}
