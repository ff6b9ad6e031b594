package dev.stator.transport.local;

import dev.stator.transport.TransferStatus;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * The blocks on their way to one process, until their answers. Every lane takes batches of them in
 * turn. Few are posted on a lane at a time, so that what the writer has just read for the checksum
 * is still in the core's cache when the receiver copies it.
 *
 * <pre>
 *   WAITING --nextBatch--&gt; in hand --post--&gt; POSTED --take--&gt; gone
 *   WAITING | POSTED --close--&gt; gone        (what is in hand is gone when it is posted)
 * </pre>
 *
 * <b>Threads:</b> any; what is in hand is the caller's of {@link #nextBatch} alone.
 *
 * @param <P> a block with what its backend needs
 */
public final class Outbox<P extends Outbox.Item> {
  public static final int BATCH_BLOCKS_MAX = 32; // One frame.

  /** One block on its way. */
  public interface Item {
    /** Of the receiver. */
    String agent();

    long bytes();

    /** Whether it was given up by its writer; then nothing is left of it. */
    boolean isDropped();

    /** Ends its write, and gives up what it holds. */
    void end(TransferStatus status);
  }

  private final int blocksMax;
  private final long windowBytes;

  // Guarded by this.
  private final Deque<P> waiting = new ArrayDeque<>();
  private final Long2ObjectHashMap<P> posted = new Long2ObjectHashMap<>();
  private final long[] unansweredBytes; // By lane, in hand and posted.
  private final long[] nextSequence; // By lane: its number plus a multiple of how many there are.
  private boolean closed;

  /**
   * @param blocksMax waiting or posted
   * @param windowBytes in hand or posted on a lane, half of it in a batch; one block in any case
   */
  public Outbox(int lanes, int blocksMax, long windowBytes) {
    this.blocksMax = blocksMax;
    this.windowBytes = windowBytes;
    this.unansweredBytes = new long[lanes];
    this.nextSequence = IntStream.range(0, lanes).asLongStream().toArray();
  }

  /** Takes the first of these there is room for; returns how many, -1 when it is closed. */
  public synchronized int add(List<P> items) {
    if (closed) return -1;
    if (waiting.size() + posted.size() + items.size() > blocksMax) dropEnded();
    final int room = Math.max(0, blocksMax - waiting.size() - posted.size());
    final int taken = Math.min(room, items.size());
    waiting.addAll(items.subList(0, taken));
    return taken;
  }

  /** Some have been given up by their writers; their answers may never come. */
  public synchronized void dropEnded() {
    waiting.removeIf(Item::isDropped);
    final var each = posted.entrySet().iterator();
    while (each.hasNext()) {
      each.next();
      if (!each.getValue().isDropped()) continue;
      unansweredBytes[laneOf(each.getLongKey())] -= each.getValue().bytes();
      each.remove();
    }
  }

  /** Whether {@link #nextBatch} has something; when not, an answer will make room. */
  public synchronized boolean isDue(int lane) {
    return !waiting.isEmpty() && fits(waiting.peek(), lane);
  }

  /** Whether nothing is on its way on this lane. */
  public synchronized boolean isIdle(int lane) {
    return unansweredBytes[lane] == 0;
  }

  private boolean fits(P next, int lane) {
    return unansweredBytes[lane] == 0 || unansweredBytes[lane] + next.bytes() <= windowBytes;
  }

  /** The next blocks for one agent, as many as fit a frame and may be posted now. */
  public synchronized List<P> nextBatch(int lane) {
    final List<P> batch = new ArrayList<>(BATCH_BLOCKS_MAX);
    long batchBytes = 0;
    while (batch.size() < BATCH_BLOCKS_MAX && isDue(lane)) {
      final P next = waiting.peek();
      if (!batch.isEmpty()
          && (batchBytes + next.bytes() > windowBytes / 2
              || !next.agent().equals(batch.getFirst().agent()))) {
        break;
      }
      batch.add(waiting.poll());
      batchBytes += next.bytes();
      unansweredBytes[lane] += next.bytes();
    }
    return batch;
  }

  /** Ends what is in hand without an answer. */
  public synchronized void drop(int lane, P item) {
    unansweredBytes[lane] -= item.bytes();
  }

  /** What is in hand will be answered by these numbers; {@code null} when closed. */
  public synchronized long[] post(int lane, List<P> items) {
    if (closed) return null;
    final long[] sequences = new long[items.size()];
    for (int i = 0; i < sequences.length; i++) {
      sequences[i] = nextSequence[lane];
      nextSequence[lane] += nextSequence.length;
      posted.put(sequences[i], items.get(i));
    }
    return sequences;
  }

  /** {@code null} where nothing of this number is posted, or it was answered. */
  public synchronized List<P> take(long... sequences) {
    final List<P> taken = new ArrayList<>(sequences.length);
    for (long sequence : sequences) {
      final P item = posted.remove(sequence);
      if (item != null) unansweredBytes[laneOf(sequence)] -= item.bytes();
      taken.add(item);
    }
    return taken;
  }

  /** What is posted by this number, and stays so; {@code null} as for {@link #take}. */
  public synchronized P posted(long sequence) {
    return posted.get(sequence);
  }

  private int laneOf(long sequence) {
    return (int) (sequence % nextSequence.length);
  }

  /** Takes nothing any more; returns what was waiting or posted. */
  public synchronized Collection<P> close() {
    closed = true;
    final List<P> left = new ArrayList<>(waiting);
    left.addAll(posted.values());
    waiting.clear();
    posted.clear();
    return left;
  }
}
