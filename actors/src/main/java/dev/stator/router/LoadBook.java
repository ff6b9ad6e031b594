package dev.stator.router;

import dev.stator.engine.RequestId;
import dev.stator.protocol.WorkerId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What has been placed and has not ended: the load as the router has caused it, ahead of any
 * report. A booking counts its blocks at its decode worker, and its uncached prompt tokens at
 * whoever prefills until the first token is there. One thread.
 */
public final class LoadBook {
  /**
   * One placed sequence.
   *
   * @param prefillWorker who computes the prompt; the decode worker itself when local
   * @param prefillTokens prompt tokens to be computed
   * @param blocks it is expected to hold
   */
  public record Booking(
      RequestId id,
      int attempt,
      WorkerId decodeWorker,
      WorkerId prefillWorker,
      long prefillTokens,
      long blocks) {}

  /** What is booked at a worker. */
  public record Load(int requests, long prefillTokens, long blocks) {
    static final Load NONE = new Load(0, 0, 0);

    Load plus(int moreRequests, long moreTokens, long moreBlocks) {
      return new Load(requests + moreRequests, prefillTokens + moreTokens, blocks + moreBlocks);
    }
  }

  private final Map<RequestId, Booking> bookings = new HashMap<>();
  private final Map<WorkerId, Load> loads = new HashMap<>();

  /** Replaces what was booked for this id. */
  public void book(Booking booking) {
    final Booking before = bookings.put(booking.id(), booking);
    if (before != null) count(before, -1);
    count(booking, 1);
  }

  /** The prompt is computed; unknown or older attempts are ignored. */
  public void prefillFinished(RequestId id, int attempt) {
    final Booking booking = bookings.get(id);
    if (booking == null || booking.attempt() != attempt) return;
    book(
        new Booking(
            id, attempt, booking.decodeWorker(), booking.prefillWorker(), 0, booking.blocks()));
  }

  /** The sequence has ended; {@code false} for unknown or older attempts. */
  public boolean ended(RequestId id, int attempt) {
    final Booking booking = bookings.get(id);
    if (booking == null || booking.attempt() > attempt) return false;
    bookings.remove(id);
    count(booking, -1);
    return true;
  }

  /** Drops everything that runs at a worker that is gone; returns what that was. */
  public List<RequestId> forget(WorkerId worker) {
    final List<RequestId> dropped = new ArrayList<>();
    for (Booking booking : Set.copyOf(bookings.values())) {
      if (booking.decodeWorker().equals(worker)) {
        ended(booking.id(), booking.attempt());
        dropped.add(booking.id());
      } else if (booking.prefillWorker().equals(worker)) {
        prefillFinished(booking.id(), booking.attempt());
      }
    }
    loads.remove(worker);
    return dropped;
  }

  public Load load(WorkerId worker) {
    return loads.getOrDefault(worker, Load.NONE);
  }

  public boolean contains(RequestId id) {
    return bookings.containsKey(id);
  }

  public int size() {
    return bookings.size();
  }

  private void count(Booking booking, int sign) {
    add(booking.decodeWorker(), sign, 0, sign * booking.blocks());
    add(booking.prefillWorker(), 0, sign * booking.prefillTokens(), 0);
  }

  private void add(WorkerId worker, int requests, long tokens, long blocks) {
    final Load load = load(worker).plus(requests, tokens, blocks);
    if (load.equals(Load.NONE)) loads.remove(worker);
    else loads.put(worker, load);
  }
}
