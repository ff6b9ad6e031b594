package dev.stator.transport;

import java.util.BitSet;
import java.util.Collections;
import java.util.Set;
import java.util.function.BiConsumer;
import org.agrona.collections.Int2IntHashMap;
import org.agrona.collections.Int2ObjectHashMap;

/**
 * A grant at the side that gave it.
 *
 * <pre>
 *   a block: EMPTY --begin--&gt; LANDING --leave(verified)--&gt; ARRIVED
 *                             LANDING --begin by another, when nobody is within--&gt; LANDING
 *            a landing is within between enter and leave; only then does it write or verify
 *            EMPTY | LANDING, nobody within --enterAll--&gt; within --leaveAll--&gt; ARRIVED | EMPTY
 *   the grant: OPEN --end--&gt; ENDING --nobody within--&gt; told     (at once when nobody is)
 * </pre>
 *
 * <b>Threads:</b> any.
 */
final class OpenGrant {
  private static final int NO_SLOT = -1;
  private static final float SLOTS_LOAD_FACTOR = 0.5f;

  /** Who writes into a block in more than one step, and may be superseded between them. */
  interface Claim {
    /** Gives up what it holds: it will not be let within again. Guarded by the grant. */
    void letGo();
  }

  private final Grant grant;
  private final RegisteredMemory memory;
  private final long deadlineNs;
  private final BiConsumer<GrantOutcome, BitSet> listener;
  private final Int2IntHashMap slots; // By block.

  // Guarded by this.
  private final Int2ObjectHashMap<Claim> landings = new Int2ObjectHashMap<>(); // By slot.
  private final BitSet within = new BitSet();
  private final BitSet arrived = new BitSet();
  private int arrivedCount;
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
    this.slots = new Int2IntHashMap(grant.blocks().size(), SLOTS_LOAD_FACTOR, NO_SLOT);
    for (int slot = 0; slot < grant.blocks().size(); slot++) {
      slots.put(grant.blocks().get(slot).intValue(), slot);
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

  /** The block's position in the grant; negative when it is not in it. */
  int slotOf(int block) {
    return slots.get(block);
  }

  /** {@code null} when the slot is now this landing's, until another begins or all ends. */
  synchronized TransferStatus begin(int slot, Claim landing) {
    final TransferStatus refused = refusal(slot);
    if (refused == null) letGo(landings.put(slot, landing));
    return refused;
  }

  /** The landing has given up: it holds nothing any more, and the slot is nobody's. */
  synchronized void drop(int slot, Claim landing) {
    if (landings.get(slot) == landing) letGo(landings.remove(slot));
  }

  /** Guarded by this, while it is not within. */
  private static void letGo(Claim superseded) {
    if (superseded != null) superseded.letGo();
  }

  /** Why nobody may begin there now. Guarded by this. */
  private TransferStatus refusal(int slot) {
    if (slot < 0) return TransferStatus.OUT_OF_RANGE;
    if (ending != null) return TransferStatus.UNKNOWN_GRANT;
    if (arrived.get(slot)) return TransferStatus.OK;
    return within.get(slot) ? TransferStatus.BUSY : null;
  }

  /** {@code null} when the landing may write, until {@link #leave}. */
  synchronized TransferStatus enter(int slot, Claim landing) {
    if (ending != null) return TransferStatus.UNKNOWN_GRANT;
    if (arrived.get(slot)) return TransferStatus.OK;
    if (landings.get(slot) != landing) return TransferStatus.BUSY;
    within.set(slot);
    return null;
  }

  void leave(int slot, boolean verified) {
    final GrantOutcome outcome;
    synchronized (this) {
      left(slot, verified);
      outcome = outcome();
    }
    tell(outcome);
  }

  /**
   * Begins and enters several slots for whole blocks, until {@link #leaveAll}; who was landing
   * there no longer is.
   *
   * @param ends {@code null} for who wants to enter; where that is refused, it becomes why
   */
  synchronized void enterAll(int[] wanted, TransferStatus[] ends) {
    for (int i = 0; i < wanted.length; i++) {
      if (ends[i] != null) continue;
      ends[i] = refusal(wanted[i]);
      if (ends[i] != null) continue;
      letGo(landings.remove(wanted[i]));
      within.set(wanted[i]);
    }
  }

  /**
   * Ends what {@link #enterAll} began.
   *
   * @param entered positions in {@code wanted}
   * @param verified those of them whose blocks have arrived
   */
  void leaveAll(int[] wanted, BitSet entered, BitSet verified) {
    final GrantOutcome outcome;
    synchronized (this) {
      for (int i = entered.nextSetBit(0); i >= 0; i = entered.nextSetBit(i + 1)) {
        left(wanted[i], verified.get(i));
      }
      outcome = outcome();
    }
    tell(outcome);
  }

  /** Guarded by this. */
  private void left(int slot, boolean verified) {
    within.clear(slot);
    if (!verified) return;
    arrived.set(slot);
    arrivedCount++;
    landings.remove(slot);
    if (ending == null && arrivedCount == slots.size()) ending = GrantOutcome.Ending.COMPLETE;
  }

  /** {@code false} when it has ended before. */
  boolean end(GrantOutcome.Ending why) {
    final GrantOutcome outcome;
    synchronized (this) {
      if (ending != null) return false;
      ending = why;
      outcome = outcome();
    }
    tell(outcome);
    return true;
  }

  /** Once, when it is over; {@code null} at other times. Guarded by this. */
  private GrantOutcome outcome() {
    if (told || ending == null || !within.isEmpty()) return null;
    told = true;
    landings.values().forEach(Claim::letGo);
    landings.clear();
    return new GrantOutcome(grant.id(), ending, arrivedCount, arrived.nextClearBit(0));
  }

  private void tell(GrantOutcome outcome) {
    if (outcome != null) listener.accept(outcome, arrived); // Nobody changes it any more.
  }
}
