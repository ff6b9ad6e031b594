package dev.stator.cli.bench;

import java.util.Comparator;
import java.util.PriorityQueue;

/** An event loop whose clock jumps to the next action. */
final class VirtualLoop implements EventLoop {
  private record Action(long ns, long order, Runnable body) {}

  private final PriorityQueue<Action> actions =
      new PriorityQueue<>(Comparator.comparingLong(Action::ns).thenComparingLong(Action::order));
  private long nowNs;
  private long order;

  @Override
  public long nowNs() {
    return nowNs;
  }

  @Override
  public void at(long ns, Runnable action) {
    actions.add(new Action(Math.max(ns, nowNs), order++, action));
  }

  /** Runs until nothing is left to do. */
  void runAll() {
    while (!actions.isEmpty()) {
      final Action action = actions.poll();
      nowNs = action.ns();
      action.body().run();
    }
  }
}
