package dev.stator.multijvm;

import dev.stator.multijvm.harness.StatorProcess;
import dev.stator.multijvm.harness.TestCluster;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Kills and hangs workers at random times, whether or not others are still down; beside it, what
 * has ended is started again, as a service manager does.
 *
 * <pre>
 *           ┌──────────── kill ───────────▶ ENDED ── start ──▶ STARTING ──┐
 *   WHOLE ──┤                            ▲    ▲                           ├──▶ WHOLE
 *           └── hang ──▶ HANGING ── kill ┘    │ taken for dead            │
 *                           └────── resume ───┴───────────────────────────┘
 * </pre>
 *
 * One decode node at least stays whole, which is all that a request needs, and fewer workers are
 * down than make half of the cluster: the nodes that are left would have to take themselves for the
 * part that was cut off. One thread calls it.
 */
final class Disturber {
  /** Of seven nodes; the other four are the majority. */
  private static final int DOWN_MAX = 3;

  /** Some wake before anybody has noticed, some when they count as dead, some in between. */
  private static final int HANG_MIN_MS = 1_000;

  private static final int HANG_MAX_MS = 14_000;

  private static final long LOOK_INTERVAL_MS = 200;

  /** What happens to a victim. */
  private enum Kind {
    KILL,
    HANG_THEN_KILL,
    HANG_THEN_RESUME
  }

  /** Random choices, made whatever the cluster does: {@code victim} counts among who is whole. */
  private record Draw(Duration pause, int victim, Kind kind, Duration hang) {}

  /** One disturbance as it was. */
  record Disturbance(Duration at, String what, String victim, int downCount) {
    @Override
    public String toString() {
      return "%.1f s: %s %s (%d down)".formatted(at.toMillis() / 1e3, what, victim, downCount);
    }
  }

  /** Something that is waited for. */
  private interface Condition {
    boolean holds() throws Exception;
  }

  private final TestCluster cluster;
  private final String observer;
  private final List<String> workers;
  private final ChaosSettings settings;
  private final SplittableRandom random;
  private final List<Disturbance> made = new ArrayList<>();
  private final Set<Path> leftBehind = new TreeSet<>(); // Guarded by this, as all that follows.
  private final Set<String> down = new TreeSet<>();
  private final Set<String> woken = new HashSet<>();
  private Throwable failure;
  private long startNs;

  /**
   * @param observer a node that is not disturbed, whose view of the cluster counts
   * @param workers who may be disturbed; who decodes is called {@code decode-...}
   */
  Disturber(TestCluster cluster, String observer, List<String> workers, ChaosSettings settings) {
    this.cluster = cluster;
    this.observer = observer;
    this.workers = List.copyOf(workers);
    this.settings = settings;
    this.random = new SplittableRandom(settings.seed());
  }

  /** Disturbs for as long as the settings say, {@code atLeast} times; returns when all is whole. */
  void run(int atLeast) throws Exception {
    startNs = System.nanoTime();
    final long endNs = startNs + settings.time().toNanos();
    for (; ; ) {
      final Draw draw = draw();
      pause(draw.pause());
      if (made.size() >= atLeast && System.nanoTime() - endNs >= 0) break;
      disturb(draw);
    }
    awaitOrFail("all are whole again", () -> healEnded() && down.isEmpty());
  }

  List<Disturbance> made() {
    return List.copyOf(made);
  }

  /** Files in memory of all that has been disturbed, but for what lives on. */
  synchronized Set<Path> leftBehind() throws IOException {
    final Set<Path> left = new TreeSet<>(leftBehind);
    for (String name : workers) left.removeAll(cluster.node(name).madeInMemory());
    return left;
  }

  private Draw draw() {
    final long pauseMs =
        random.nextLong(settings.intervalMin().toMillis(), settings.intervalMax().toMillis() + 1);
    final int victim = random.nextInt(Integer.MAX_VALUE);
    final Kind kind =
        switch (random.nextInt(5)) {
          case 0 -> Kind.HANG_THEN_KILL;
          case 1, 2 -> Kind.HANG_THEN_RESUME;
          default -> Kind.KILL;
        };
    final int hangMs = random.nextInt(HANG_MIN_MS, HANG_MAX_MS + 1);
    return new Draw(Duration.ofMillis(pauseMs), victim, kind, Duration.ofMillis(hangMs));
  }

  private void disturb(Draw draw) throws Exception {
    final String victim = awaitVictim(draw);
    final StatorProcess process = cluster.node(victim);
    noteFiles(process.madeInMemory());
    final boolean hangs = draw.kind() != Kind.KILL;
    if (hangs) process.hang();
    else process.kill();
    made.add(new Disturbance(elapsed(), words(draw), victim, downCount()));
    System.out.println(made.getLast());
    healBeside(victim, hangs ? draw : null);
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startNs);
  }

  private static String words(Draw draw) {
    final double seconds = draw.hang().toMillis() / 1e3;
    return switch (draw.kind()) {
      case KILL -> "kill";
      case HANG_THEN_KILL -> "hang and after %.1f s kill".formatted(seconds);
      case HANG_THEN_RESUME -> "hang for %.1f s".formatted(seconds);
    };
  }

  /** Waits until somebody may be disturbed. */
  private synchronized String awaitVictim(Draw draw) throws Exception {
    awaitOrFail("somebody may be disturbed", () -> healEnded() && !candidates().isEmpty());
    final List<String> candidates = candidates();
    final String victim = candidates.get(draw.victim() % candidates.size());
    down.add(victim);
    return victim;
  }

  private List<String> candidates() {
    if (down.size() >= DOWN_MAX) return List.of();
    final List<String> whole = new ArrayList<>(workers);
    whole.removeAll(down);
    final List<String> decoding = whole.stream().filter(name -> name.startsWith("decode")).toList();
    if (decoding.size() == 1) whole.removeAll(decoding);
    return whole;
  }

  /** Who wakes just when he is given up seems whole for a moment, and ends. All others stay. */
  private synchronized boolean healEnded() {
    for (String name : workers) {
      if (down.contains(name) || cluster.node(name).isAlive()) continue;
      if (!woken.contains(name)) {
        throw new AssertionError(name + " ended by itself\n" + cluster.node(name));
      }
      down.add(name);
      healBeside(name, null);
    }
    return true;
  }

  /**
   * @param hang what a hanging one waits for; {@code null} for one that has ended
   */
  private void healBeside(String victim, Draw hang) {
    Thread.ofVirtual()
        .name("heal-" + victim)
        .start(() -> {
          try {
            if (hang != null) endHang(victim, hang);
            heal(victim);
            healed(victim, null);
          } catch (Throwable broken) {
            healed(victim, broken);
          }
        });
  }

  private void endHang(String victim, Draw draw) throws Exception {
    pause(draw.hang());
    final StatorProcess process = cluster.node(victim);
    if (draw.kind() == Kind.HANG_THEN_KILL) process.kill();
    else {
      noteWoken(victim);
      process.resume();
    }
  }

  /** Returns when it serves, as a process of before or a new one. */
  private void heal(String victim) throws Exception {
    final long deadlineNs = System.nanoTime() + StatorProcess.PATIENCE.toNanos();
    while (!cluster.isHeard(observer, victim)) {
      if (!cluster.node(victim).isAlive()) {
        forgetWoken(victim);
        cluster.restart(victim);
      }
      if (System.nanoTime() - deadlineNs > 0) {
        throw new AssertionError(victim + " does not serve again\n" + cluster.node(victim));
      }
      pause(Duration.ofMillis(LOOK_INTERVAL_MS));
    }
  }

  private synchronized void healed(String victim, Throwable broken) {
    down.remove(victim);
    if (broken != null && failure == null) failure = broken;
    System.out.printf("%.1f s: %s is whole%n", elapsed().toMillis() / 1e3, victim);
    notifyAll();
  }

  private synchronized void noteFiles(Set<Path> files) {
    leftBehind.addAll(files);
  }

  private synchronized void noteWoken(String name) {
    woken.add(name);
  }

  private synchronized void forgetWoken(String name) {
    woken.remove(name);
  }

  private synchronized int downCount() {
    return down.size();
  }

  /** The time between two events of the plan; ends early when something has failed. */
  private synchronized void pause(Duration time) throws InterruptedException {
    final long endNs = System.nanoTime() + time.toNanos();
    for (long leftNs; (leftNs = endNs - System.nanoTime()) > 0; ) {
      if (failure != null) throw new AssertionError("the chaos run is over", failure);
      wait(leftNs / 1_000_000 + 1);
    }
  }

  private synchronized void awaitOrFail(String what, Condition condition) throws Exception {
    final long deadlineNs = System.nanoTime() + StatorProcess.PATIENCE.toNanos();
    while (!condition.holds()) {
      if (failure != null) throw new AssertionError("the chaos run is over", failure);
      if (System.nanoTime() - deadlineNs > 0) {
        throw new AssertionError("waited in vain until " + what + "; down: " + down);
      }
      wait(LOOK_INTERVAL_MS);
    }
  }
}
