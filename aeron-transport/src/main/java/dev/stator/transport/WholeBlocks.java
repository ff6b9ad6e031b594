package dev.stator.transport;

import java.util.BitSet;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whole blocks that go into one open grant together. All are entered before the first is copied and
 * left after the last: each lock waits until what was copied before has left the core, and other
 * threads wait for it. <b>Threads:</b> one.
 */
final class WholeBlocks {
  private static final Logger LOG = LoggerFactory.getLogger(WholeBlocks.class);

  private final OpenGrant open;
  private final List<BlockDelivery> deliveries;
  private final TransferStatus[] ends;
  private final TransferCounters counters;
  private final int[] slots; // Of the grant.
  private final BitSet entered = new BitSet(); // Positions in deliveries, as below.
  private final BitSet verified = new BitSet();
  private final BlockKernels kernels;

  /**
   * @param ends of each delivery: {@code null} when it may come in, else why not; all are set by
   *     {@link #deliver}
   */
  WholeBlocks(
      OpenGrant open,
      List<BlockDelivery> deliveries,
      TransferStatus[] ends,
      TransferCounters counters,
      BlockKernels kernels) {
    this.open = open;
    this.deliveries = deliveries;
    this.ends = ends;
    this.counters = counters;
    this.kernels = kernels;
    this.slots = new int[ends.length];
  }

  /** Enters, copies, verifies and leaves; one that cannot be read fails alone. */
  void deliver() {
    for (int i = 0; i < slots.length; i++) slots[i] = open.slotOf(deliveries.get(i).targetBlock());
    open.enterAll(slots, ends);
    for (int i = 0; i < ends.length; i++) if (ends[i] == null) entered.set(i);
    if (entered.isEmpty()) return;
    try {
      copyAll();
    } finally {
      for (int i = entered.nextSetBit(0); i >= 0; i = entered.nextSetBit(i + 1)) {
        if (ends[i] == null) ends[i] = TransferStatus.FAILED;
      }
      counters.received(verified.cardinality() * open.grant().geometry().blockBytes());
      open.leaveAll(slots, entered, verified);
    }
  }

  private void copyAll() {
    final long stamp = open.memory().enter();
    try {
      for (int i = entered.nextSetBit(0); i >= 0; i = entered.nextSetBit(i + 1)) {
        if (stamp == 0) ends[i] = TransferStatus.UNKNOWN_GRANT;
        else tryCopy(i);
      }
    } finally {
      if (stamp != 0) open.memory().leave(stamp);
    }
  }

  private void tryCopy(int i) {
    try {
      ends[i] = copy(deliveries.get(i));
      if (ends[i] == TransferStatus.OK) verified.set(i);
    } catch (IllegalStateException | InternalError gone) { // Unmapped, or a file was cut short.
      LOG.warn("A block could not be read: {}", gone.getMessage());
      ends[i] = TransferStatus.FAILED;
    } catch (RuntimeException bug) {
      LOG.error("A block was not taken", bug);
      ends[i] = TransferStatus.FAILED;
    }
  }

  private TransferStatus copy(BlockDelivery delivery) {
    try (BlockDraft draft = open.memory().draft(delivery.targetBlock())) {
      if (draft == null) return TransferStatus.BACK_PRESSURED;
      final boolean isWhatLeft =
          kernels.copy(delivery.bytes(), draft.bytes()) == delivery.checksum();
      if (!isWhatLeft) return TransferStatus.BAD_CHECKSUM;
      draft.commit();
      return TransferStatus.OK;
    }
  }
}
