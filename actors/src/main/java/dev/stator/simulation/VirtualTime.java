package dev.stator.simulation;

import java.util.Comparator;
import java.util.PriorityQueue;

/** A clock that jumps from event to event; equal times keep their order. One thread. */
final class VirtualTime {
  private record Event(long atNs, long order, Runnable action) {}

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::atNs).thenComparingLong(Event::order));
  private long nowNs;
  private long count;

  long nowNs() {
    return nowNs;
  }

  double nowS() {
    return nowNs / 1e9;
  }

  void after(double seconds, Runnable action) {
    at(nowNs + Math.round(seconds * 1e9), action);
  }

  void at(long atNs, Runnable action) {
    if (atNs < nowNs) throw new IllegalArgumentException(atNs + " ns lies before " + nowNs);
    events.add(new Event(atNs, count++, action));
  }

  /** Runs the events up to a time, those at it included. */
  void runUntil(long endNs) {
    while (!events.isEmpty() && events.peek().atNs() <= endNs) {
      final Event event = events.remove();
      nowNs = event.atNs();
      event.action().run();
    }
    nowNs = Math.max(nowNs, endNs);
  }
}
