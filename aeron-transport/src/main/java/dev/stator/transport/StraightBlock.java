package dev.stator.transport;

import java.util.BitSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A block that goes into an open grant past the CPU. <b>Threads:</b> one. */
record StraightBlock(OpenGrant open, StraightDelivery delivery, TransferCounters counters) {
  private static final Logger LOG = LoggerFactory.getLogger(StraightBlock.class);

  /**
   * Enters, copies and leaves.
   *
   * @return {@code null} when the source does not reach the memory
   */
  TransferStatus deliver() {
    final int[] slot = {open.slotOf(delivery.targetBlock())};
    final TransferStatus[] refused = {null};
    open.enterAll(slot, refused);
    if (refused[0] != null) return refused[0];
    final BitSet entered = new BitSet();
    entered.set(0);
    final BitSet arrived = new BitSet();
    try {
      final TransferStatus end = copy();
      if (end == TransferStatus.OK) {
        arrived.set(0);
        counters.received(delivery.blockBytes());
      }
      return end;
    } finally {
      open.leaveAll(slot, entered, arrived);
    }
  }

  private TransferStatus copy() {
    final long stamp = open.memory().enter();
    if (stamp == 0) return TransferStatus.UNKNOWN_GRANT;
    try {
      final BlockMemory target = open.memory().blocks();
      return delivery.source().copyTo(target, delivery.targetBlock()) ? TransferStatus.OK : null;
    } catch (RuntimeException broken) {
      LOG.warn("A block could not be copied: {}", broken.getMessage());
      return TransferStatus.FAILED;
    } finally {
      open.memory().leave(stamp);
    }
  }
}
