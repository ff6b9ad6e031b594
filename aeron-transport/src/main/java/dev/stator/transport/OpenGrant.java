package dev.stator.transport;

import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A grant at the side that gave it.
 *
 * <pre>
 *   a block: EMPTY --begin--&gt; FILLING --finish(verified)--&gt; ARRIVED
 *                                     --finish(not)-------&gt; EMPTY
 *   the grant: OPEN --end--&gt; ENDING --last copy done--&gt; told     (at once when nothing is being copied)
 * </pre>
 *
 * <b>Threads:</b> any.
 */
final class OpenGrant {
  private final Grant grant;
  private final RegisteredMemory memory;
  private final long deadlineNs;
  private final Consumer<GrantOutcome> listener;
  private final Map<Integer, Integer> slots = new HashMap<>();

  // Guarded by this.
  private final BitSet filling = new BitSet();
  private final BitSet arrived = new BitSet();
  private GrantOutcome.Ending ending;
  private boolean told;

  OpenGrant(
      Grant grant, RegisteredMemory memory, long deadlineNs, Consumer<GrantOutcome> listener) {
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

  boolean touches(RegisteredMemory where, Set<Integer> blocks) {
    return memory == where && !Collections.disjoint(slots.keySet(), blocks);
  }

  boolean isOverdue(long nowNs) {
    return nowNs - deadlineNs >= 0;
  }

  /** Takes the same time for any wrong key. */
  boolean opensWith(long keyHigh, long keyLow) {
    return ((keyHigh ^ grant.keyHigh()) | (keyLow ^ grant.keyLow())) == 0;
  }

  /** {@code null} when the block is now the caller's to fill, until {@link #finish}. */
  synchronized TransferStatus begin(int block) {
    final Integer slot = slots.get(block);
    if (slot == null) return TransferStatus.OUT_OF_RANGE;
    if (ending != null) return TransferStatus.UNKNOWN_GRANT;
    if (arrived.get(slot)) return TransferStatus.OK;
    if (filling.get(slot)) return TransferStatus.BUSY;
    filling.set(slot);
    return null;
  }

  void finish(int block, boolean verified) {
    synchronized (this) {
      final int slot = slots.get(block);
      filling.clear(slot);
      if (verified) arrived.set(slot);
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

  synchronized boolean hasEnded() {
    return ending != null;
  }

  private void tellWhenOver() {
    final GrantOutcome outcome;
    synchronized (this) {
      if (told || ending == null || !filling.isEmpty()) return;
      told = true;
      outcome =
          new GrantOutcome(grant.id(), ending, arrived.cardinality(), arrived.nextClearBit(0));
    }
    listener.accept(outcome);
  }
}
