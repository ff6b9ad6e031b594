package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One block on its way into an open grant. <b>Threads:</b> one at a time. */
final class Landing implements BlockLanding {
  private static final Logger LOG = LoggerFactory.getLogger(Landing.class);
  private static final int PIECE_BYTES = 8 * 1024; // Verified in the core's first cache.

  private final OpenGrant open;
  private final int block;
  private final int slot; // Of the grant.
  private final TransferCounters counters;
  private final LongSupplier nanoClock;
  private final RunningChecksum checksum = new RunningChecksum();
  private TransferStatus ended;
  private long stamp; // Of the memory, while within.
  private boolean isWithin;
  private boolean isVerified;

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
      end(TransferStatus.WRONG_LENGTH);
      return false;
    }
    return within(target -> {
      copy(target, offset, bytes);
      return false;
    });
  }

  @Override
  public TransferStatus finish(int expected) {
    final boolean isOver = ended == null && within(target -> checksum.of(target) == expected);
    if (isOver && ended == null) end(TransferStatus.BAD_CHECKSUM);
    return ended;
  }

  /**
   * {@link #put} and {@link #finish} of whole blocks, without a gap in which a grant could end; one
   * that cannot be read fails alone. All are entered before the first is copied and left after the
   * last: the locks of leaving wait until what was copied before has left the core.
   */
  static List<TransferStatus> deliverAll(List<Landing> landings, List<BlockDelivery> deliveries) {
    for (Landing landing : landings) landing.isWithin = landing.ended == null && landing.tryEnter();
    try {
      for (int i = 0; i < landings.size(); i++) {
        if (landings.get(i).isWithin) landings.get(i).tryCopy(deliveries.get(i));
      }
    } finally {
      for (Landing landing : landings) {
        if (landing.isWithin) landing.leave(landing.isVerified);
        if (landing.ended == null) landing.end(TransferStatus.BAD_CHECKSUM);
      }
    }
    return landings.stream().map(Landing::ended).toList();
  }

  private void tryCopy(BlockDelivery delivery) {
    try {
      isVerified = copyAll(open.memory().block(block), delivery.bytes(), delivery.checksum());
    } catch (IllegalStateException | InternalError gone) { // Unmapped, or a file was cut short.
      LOG.warn("A block could not be read: {}", gone.getMessage());
      end(TransferStatus.FAILED);
    } catch (RuntimeException bug) {
      LOG.error("A block was not taken", bug);
      end(TransferStatus.FAILED);
    }
  }

  /** Work on the block that tells whether it is verified. */
  @FunctionalInterface
  private interface Work {
    boolean run(MemorySegment target);
  }

  /** Whether the work was done; the landing has ended when it verified the block, or was not. */
  private boolean within(Work work) {
    if (!tryEnter()) return false;
    boolean verified = false;
    boolean done = false;
    try {
      verified = work.run(open.memory().block(block));
      done = true;
    } finally {
      leave(verified);
      if (!done) end(TransferStatus.FAILED);
    }
    return done;
  }

  /** Whether the block may be written to until {@link #leave}; else the landing has ended. */
  private boolean tryEnter() {
    if (!enter()) return false;
    stamp = open.memory().enter();
    if (stamp != 0) return true;
    open.leave(slot, false);
    end(TransferStatus.UNKNOWN_GRANT);
    return false;
  }

  private void leave(boolean verified) {
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
    if (refused != null) end(refused);
    return refused == null;
  }

  /** Whether what lies there now is what was to come. */
  private boolean copyAll(MemorySegment target, MemorySegment bytes, int expected) {
    final ByteBuffer view = Checksums.heldView(target);
    final int length = (int) bytes.byteSize();
    for (int at = 0; at < length; at += PIECE_BYTES) {
      final int end = Math.min(length, at + PIECE_BYTES);
      MemorySegment.copy(bytes, at, target, at, end - at);
      checksum.update(view.position(at).limit(end), at);
    }
    return checksum.of(target) == expected;
  }

  private void copy(MemorySegment target, long offset, MemorySegment bytes) {
    MemorySegment.copy(bytes, 0, target, offset, bytes.byteSize());
    checksum.update(Checksums.heldView(target.asSlice(offset, bytes.byteSize())), offset);
  }

  private long blockBytes() {
    return open.grant().geometry().blockBytes();
  }

  private void end(TransferStatus why) {
    ended = why;
    if (why != TransferStatus.OK) counters.rejected(why);
  }
}
