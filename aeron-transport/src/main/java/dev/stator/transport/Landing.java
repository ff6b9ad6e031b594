package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

/**
 * One block on its way, in pieces, into an open grant. What it holds it gives up when it ends, or
 * the grant has it do so: when another landing takes the block over, or the grant ends.
 *
 * <p><b>Threads:</b> one at a time.
 */
final class Landing implements BlockLanding, OpenGrant.Claim {
  private final OpenGrant open;
  private final int block;
  private final int slot; // Of the grant.
  private final TransferCounters counters;
  private final LongSupplier nanoClock;
  private final RunningChecksum checksum = new RunningChecksum();
  private TransferStatus ended;
  private BlockDraft draft; // Of who is within the grant; while nobody is, guarded by that.

  /**
   * @param open {@code null} when there is nothing to write to
   * @param refused why not, {@code null} when it may go on
   */
  Landing(
      OpenGrant open,
      int block,
      TransferStatus refused,
      TransferCounters counters,
      LongSupplier nanoClock) {
    this.open = open;
    this.block = block;
    this.slot = open == null ? -1 : open.slotOf(block);
    this.counters = counters;
    this.nanoClock = nanoClock;
    if (refused != null) end(refused);
    else begin();
  }

  private void begin() {
    final TransferStatus begun = open.begin(slot, this);
    if (begun != null) end(begun);
  }

  @Override
  public TransferStatus ended() {
    return ended;
  }

  @Override
  public boolean put(long offset, MemorySegment bytes) {
    if (ended != null) return false;
    if (offset < 0 || offset > blockBytes() - bytes.byteSize()) {
      giveUp(TransferStatus.WRONG_LENGTH);
      return false;
    }
    return within(target -> {
      copy(target.bytes(), offset, bytes);
      return false;
    });
  }

  @Override
  public TransferStatus finish(int expected) {
    final boolean isOver = ended == null && within(target -> commit(target, expected));
    if (isOver && ended == null) giveUp(TransferStatus.BAD_CHECKSUM);
    return ended;
  }

  private boolean commit(BlockDraft target, int expected) {
    if (checksum.of(target.bytes()) != expected) return false;
    target.commit();
    return true;
  }

  @Override
  public void abandon() {
    if (ended != null) return;
    ended = TransferStatus.CANCELLED;
    open.drop(slot, this);
  }

  /** By the grant when nobody is within, or by who is. */
  @Override
  public void letGo() {
    final BlockDraft unused = draft;
    draft = null;
    if (unused != null) unused.close();
  }

  /** Work on the block that tells whether it is verified. */
  @FunctionalInterface
  private interface Work {
    boolean run(BlockDraft target);
  }

  /** Whether the work was done; the landing has ended when it verified the block, or was not. */
  private boolean within(Work work) {
    if (!enter()) return false;
    final long stamp = open.memory().enter();
    if (stamp == 0) {
      open.leave(slot, false);
      giveUp(TransferStatus.UNKNOWN_GRANT);
      return false;
    }
    boolean verified = false;
    TransferStatus trouble = TransferStatus.FAILED;
    try {
      if (draft == null) draft = open.memory().draft(block);
      if (draft != null) verified = work.run(draft);
      trouble = draft == null ? TransferStatus.BACK_PRESSURED : null;
    } finally {
      leave(stamp, verified);
      if (trouble != null) giveUp(trouble);
    }
    return trouble == null;
  }

  private void leave(long stamp, boolean verified) {
    if (verified) letGo();
    open.memory().leave(stamp);
    if (verified) {
      ended = TransferStatus.OK;
      counters.received(blockBytes());
    }
    open.leave(slot, verified);
  }

  private boolean enter() {
    if (open.isOverdue(nanoClock.getAsLong())) open.end(GrantOutcome.Ending.EXPIRED);
    final TransferStatus refused = open.enter(slot, this);
    if (refused != null) giveUp(refused);
    return refused == null;
  }

  private void copy(MemorySegment target, long offset, MemorySegment bytes) {
    MemorySegment.copy(bytes, 0, target, offset, bytes.byteSize());
    checksum.update(Checksums.heldView(target.asSlice(offset, bytes.byteSize())), offset);
  }

  private long blockBytes() {
    return open.grant().geometry().blockBytes();
  }

  private void giveUp(TransferStatus why) {
    end(why);
    open.drop(slot, this);
  }

  private void end(TransferStatus why) {
    ended = why;
    if (why != TransferStatus.OK) counters.rejected(why);
  }
}
