package dev.stator.transport;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * A grant at the side that gave it.
 *
 * <pre>
 *   a block: EMPTY --begin--&gt; LANDING --leave(verified)--&gt; ARRIVED
 *                             LANDING --begin by another, when nobody is within--&gt; LANDING
 *            a landing is within between enter and leave; only then does it write or verify
 *   the grant: OPEN --end--&gt; ENDING --nobody within--&gt; told     (at once when nobody is)
 * </pre>
 *
 * <b>Threads:</b> any.
 */
final class OpenGrant {
  private final Grant grant;
  private final RegisteredMemory memory;
  private final long deadlineNs;
  private final BiConsumer<GrantOutcome, BitSet> listener;
  private final Map<Integer, Integer> slots = new HashMap<>();

  // Guarded by this.
  private final Map<Integer, Landing> landings = new HashMap<>(); // By slot, of what is on its way.
  private final BitSet within = new BitSet();
  private final BitSet arrived = new BitSet();
  private GrantOutcome.Ending ending;
  private boolean told;

  OpenGrant(
      Grant grant,
      RegisteredMemory memory,
      long deadlineNs,
      BiConsumer<GrantOutcome, BitSet> listener) {
    this.grant = grant;
    this.memory = memory;
    this.deadlineNs = deadlineNs;
    this.listener = listener;
    for (int slot = 0; slot < grant.blocks().size(); slot++) {
      slots.put(grant.blocks().get(slot), slot);
    }
  }

  Grant grant() {
    return grant;
  }

  RegisteredMemory memory() {
    return memory;
  }

  boolean isOverdue(long nowNs) {
    return nowNs - deadlineNs >= 0;
  }

  /** Takes the same time for any wrong key. */
  boolean opensWith(long keyHigh, long keyLow) {
    return ((keyHigh ^ grant.keyHigh()) | (keyLow ^ grant.keyLow())) == 0;
  }

  /** {@code null} when the block is now this landing's, until another begins or all ends. */
  synchronized TransferStatus begin(int block, Landing landing) {
    final Integer slot = slots.get(block);
    if (slot == null) return TransferStatus.OUT_OF_RANGE;
    if (ending != null) return TransferStatus.UNKNOWN_GRANT;
    if (arrived.get(slot)) return TransferStatus.OK;
    if (within.get(slot)) return TransferStatus.BUSY;
    landings.put(slot, landing);
    return null;
  }

  /** {@code null} when the landing may write, until {@link #leave}. */
  synchronized TransferStatus enter(int block, Landing landing) {
    if (ending != null) return TransferStatus.UNKNOWN_GRANT;
    final int slot = slots.get(block);
    if (arrived.get(slot)) return TransferStatus.OK;
    if (landings.get(slot) != landing) return TransferStatus.BUSY;
    within.set(slot);
    return null;
  }

  void leave(int block, boolean verified) {
    synchronized (this) {
      final int slot = slots.get(block);
      within.clear(slot);
      if (verified) {
        arrived.set(slot);
        landings.remove(slot);
      }
      if (ending == null && arrived.cardinality() == slots.size()) {
        ending = GrantOutcome.Ending.COMPLETE;
      }
    }
    tellWhenOver();
  }

  /** {@code false} when it has ended before. */
  boolean end(GrantOutcome.Ending why) {
    synchronized (this) {
      if (ending != null) return false;
      ending = why;
    }
    tellWhenOver();
    return true;
  }

  private void tellWhenOver() {
    final GrantOutcome outcome;
    synchronized (this) {
      if (told || ending == null || !within.isEmpty()) return;
      told = true;
      landings.clear();
      outcome =
          new GrantOutcome(grant.id(), ending, arrived.cardinality(), arrived.nextClearBit(0));
    }
    listener.accept(outcome, arrived); // Nobody changes it any more.
  }
}
