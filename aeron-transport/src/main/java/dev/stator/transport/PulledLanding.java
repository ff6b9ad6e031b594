package dev.stator.transport;

import java.util.function.LongSupplier;

/**
 * One block on its way past the CPU into an open grant.
 *
 * <pre>
 *   NEW --enter--&gt; within --leave--&gt; waits --confirm--&gt; ended
 * </pre>
 *
 * <b>Threads:</b> one at a time.
 */
final class PulledLanding implements PulledBlock, OpenGrant.Claim {
  private final OpenGrant open;
  private final BlockPull pull;
  private final int slot; // Of the grant.
  private final TransferCounters counters;
  private final LongSupplier nanoClock;
  private TransferStatus ended;

  /**
   * @param open {@code null} when there is nothing to write to
   * @param refused why not, {@code null} when it may go on
   */
  PulledLanding(
      OpenGrant open,
      BlockPull pull,
      TransferStatus refused,
      TransferCounters counters,
      LongSupplier nanoClock) {
    this.open = open;
    this.pull = pull;
    this.slot = open == null ? -1 : open.slotOf(pull.targetBlock());
    this.counters = counters;
    this.nanoClock = nanoClock;
    if (refused != null) end(refused);
  }

  /** Who is to write into; only of one that has not ended. */
  RegisteredMemory memory() {
    return open.memory();
  }

  BlockPull pull() {
    return pull;
  }

  /** Whether it may write now, until {@link #leave}; else it has ended. */
  boolean enter() {
    TransferStatus refused = open.begin(slot, this);
    if (refused == null) refused = open.enter(slot, this);
    if (refused != null) giveUp(refused);
    return refused == null;
  }

  /**
   * @param end how it went; {@link TransferStatus#OK} when the bytes are there
   */
  void leave(TransferStatus end) {
    open.leave(slot, false);
    if (end != TransferStatus.OK) giveUp(end);
  }

  @Override
  public TransferStatus ended() {
    return ended;
  }

  @Override
  public TransferStatus confirm() {
    if (ended != null) return ended;
    if (open.isOverdue(nanoClock.getAsLong())) open.end(GrantOutcome.Ending.EXPIRED);
    final TransferStatus refused = open.enter(slot, this);
    if (refused != null) {
      giveUp(refused);
    } else {
      ended = TransferStatus.OK;
      counters.received(pull.blockBytes());
      open.leave(slot, true);
    }
    return ended;
  }

  @Override
  public void abandon() {
    if (ended == null) giveUp(TransferStatus.CANCELLED);
  }

  /** It holds nothing. */
  @Override
  public void letGo() {}

  private void giveUp(TransferStatus why) {
    end(why);
    open.drop(slot, this);
  }

  private void end(TransferStatus why) {
    ended = why;
    if (why != TransferStatus.OK) counters.rejected(why);
  }
}
