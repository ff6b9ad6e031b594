package dev.stator.transport.shared;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * The blocks on their way to one process, until their answers. Few of them are posted at a time, so
 * that what the writer has just read for the checksum is still in the cache when the receiver
 * copies it.
 *
 * <pre>
 *   WAITING --nextBatch--&gt; in hand --post--&gt; POSTED --take--&gt; gone
 *   WAITING | POSTED --close--&gt; gone        (what is in hand is gone when it is posted)
 * </pre>
 *
 * <b>Threads:</b> any; what is in hand is the caller's of {@link #nextBatch} alone.
 */
final class Outbox {
  static final int BATCH_BLOCKS_MAX = 16; // One frame.
  private static final long BATCH_BYTES_MAX = 1024 * 1024;

  private final int blocksMax;
  private final long windowBytes;

  // Guarded by this.
  private final Deque<Parcel> waiting = new ArrayDeque<>();
  private final Long2ObjectHashMap<Parcel> posted = new Long2ObjectHashMap<>();
  private long unansweredBytes; // In hand and posted.
  private long nextSequence;
  private boolean closed;

  /**
   * @param windowBytes in hand or posted; one block in any case
   */
  Outbox(int blocksMax, long windowBytes) {
    this.blocksMax = blocksMax;
    this.windowBytes = windowBytes;
  }

  /** Takes the first of these there is room for; returns how many, -1 when it is closed. */
  synchronized int add(List<Parcel> parcels) {
    if (closed) return -1;
    if (waiting.size() + posted.size() + parcels.size() > blocksMax) dropEnded();
    final int room = Math.max(0, blocksMax - waiting.size() - posted.size());
    final int taken = Math.min(room, parcels.size());
    waiting.addAll(parcels.subList(0, taken));
    return taken;
  }

  /** Some have been given up by their writers; their answers may never come. */
  synchronized void dropEnded() {
    waiting.removeIf(Parcel::isDropped);
    posted
        .values()
        .removeIf(parcel -> {
          if (!parcel.isDropped()) return false;
          unansweredBytes -= parcel.bytes();
          return true;
        });
  }

  /** Whether {@link #nextBatch} has something; when not, an answer will make room. */
  synchronized boolean isDue() {
    return !waiting.isEmpty() && fits(waiting.peek());
  }

  private boolean fits(Parcel next) {
    return unansweredBytes == 0 || unansweredBytes + next.bytes() <= windowBytes;
  }

  /** The next blocks for one agent, as many as fit a frame and may be posted now. */
  synchronized List<Parcel> nextBatch() {
    final List<Parcel> batch = new ArrayList<>(BATCH_BLOCKS_MAX);
    long batchBytes = 0;
    while (batch.size() < BATCH_BLOCKS_MAX && isDue()) {
      final Parcel next = waiting.peek();
      if (!batch.isEmpty()
          && (batchBytes + next.bytes() > BATCH_BYTES_MAX
              || !next.agent().equals(batch.getFirst().agent()))) {
        break;
      }
      batch.add(waiting.poll());
      batchBytes += next.bytes();
      unansweredBytes += next.bytes();
    }
    return batch;
  }

  /** Ends what is in hand without an answer. */
  synchronized void drop(Parcel parcel) {
    unansweredBytes -= parcel.bytes();
  }

  /** What is in hand will be answered by consecutive numbers; returns the first, -1 when closed. */
  synchronized long post(List<Parcel> parcels) {
    if (closed) return -1;
    final long first = nextSequence;
    for (Parcel parcel : parcels) posted.put(nextSequence++, parcel);
    return first;
  }

  /** {@code null} when nothing of this number is posted, or it was answered. */
  synchronized Parcel take(long sequence) {
    final Parcel parcel = posted.remove(sequence);
    if (parcel != null) unansweredBytes -= parcel.bytes();
    return parcel;
  }

  /** Takes nothing any more; returns what was waiting or posted. */
  synchronized Collection<Parcel> close() {
    closed = true;
    final List<Parcel> left = new ArrayList<>(waiting);
    left.addAll(posted.values());
    waiting.clear();
    posted.clear();
    return left;
  }
}
