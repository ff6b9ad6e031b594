package dev.stator.transport;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/** The exports that one agent has given, and the last ones that have ended. <b>Threads:</b> any. */
final class ExportBook {
  private final TransferSettings settings;
  private final LongSupplier nanoClock;
  private final LongSupplier ids;
  private final RandomGenerator random;
  private final Map<Long, OpenExport> exports = new ConcurrentHashMap<>();
  private final AtomicInteger openCount = new AtomicInteger();

  // Guarded by itself. Their readers get an answer; somebody without the key gets none.
  private final Map<Long, OpenExport> ended = new LinkedHashMap<>();

  ExportBook(
      TransferSettings settings, LongSupplier nanoClock, LongSupplier ids, RandomGenerator random) {
    this.settings = settings;
    this.nanoClock = nanoClock;
    this.ids = ids;
    this.random = random;
  }

  Optional<Export> open(
      AgentAddress agent,
      RegisteredMemory memory,
      List<Integer> blocks,
      Duration life,
      Consumer<ExportOutcome> listener) {
    memory.requireDistinct(blocks);
    if (blocks.size() > settings.grantBlocksMax()) return Optional.empty();
    if (openCount.incrementAndGet() > settings.exportsMax()) {
      openCount.decrementAndGet();
      return Optional.empty();
    }
    final Export export =
        new Export(
            agent,
            ids.getAsLong(),
            random.nextLong(),
            random.nextLong(),
            blocks,
            memory.geometry(),
            life);
    final Consumer<ExportOutcome> onEnd =
        outcome -> {
          remember(exports.remove(outcome.exportId()));
          openCount.decrementAndGet();
          listener.accept(outcome);
        };
    exports.put(
        export.id(), new OpenExport(export, memory, nanoClock.getAsLong() + life.toNanos(), onEnd));
    return Optional.of(export);
  }

  private void remember(OpenExport open) {
    synchronized (ended) {
      ended.put(open.export().id(), open);
      if (ended.size() > settings.exportsMax()) {
        ended.remove(ended.keySet().iterator().next());
      }
    }
  }

  /** The export of this id, open or not; {@code null} when it is not known (any more). */
  OpenExport find(long exportId) {
    final OpenExport open = exports.get(exportId);
    if (open != null) {
      if (open.isOverdue(nanoClock.getAsLong())) open.end(GrantOutcome.Ending.EXPIRED);
      return open;
    }
    synchronized (ended) {
      return ended.get(exportId);
    }
  }

  /** Ignores unknown ids. */
  void end(long exportId, GrantOutcome.Ending why) {
    final OpenExport open = exports.get(exportId);
    if (open != null) open.end(why);
  }

  void endAll(RegisteredMemory memory) {
    for (OpenExport open : exports.values()) {
      if (open.memory() == memory) open.end(GrantOutcome.Ending.CLOSED);
    }
  }

  /** Ends the exports of any of these blocks; returns how many of them are not over. */
  int withdraw(RegisteredMemory memory, Set<Integer> blocks) {
    for (OpenExport open : exports.values()) {
      if (open.touches(memory, blocks)) open.end(GrantOutcome.Ending.REVOKED);
    }
    return (int) exports.values().stream().filter(open -> open.touches(memory, blocks)).count();
  }

  /** Ends what is overdue; returns how many. */
  int poll() {
    final long nowNs = nanoClock.getAsLong();
    int overdue = 0;
    for (OpenExport open : exports.values()) {
      if (open.isOverdue(nowNs) && open.end(GrantOutcome.Ending.EXPIRED)) overdue++;
    }
    return overdue;
  }

  int openCount() {
    return openCount.get();
  }
}
