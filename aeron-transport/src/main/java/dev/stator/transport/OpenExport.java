package dev.stator.transport;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * An export at the side that gave it.
 *
 * <pre>
 *   OPEN --end--&gt; ENDING --last write of it ended--&gt; told     (at once when there is none)
 * </pre>
 *
 * <b>Threads:</b> any.
 */
final class OpenExport {
  private final Export export;
  private final RegisteredMemory memory;
  private final long deadlineNs;
  private final Consumer<ExportOutcome> listener;
  private final Set<Integer> blocks;

  // Guarded by this.
  private int entered;
  private long readBlocks;
  private GrantOutcome.Ending ending;
  private boolean told;

  OpenExport(
      Export export, RegisteredMemory memory, long deadlineNs, Consumer<ExportOutcome> listener) {
    this.export = export;
    this.memory = memory;
    this.deadlineNs = deadlineNs;
    this.listener = listener;
    this.blocks = Set.copyOf(export.blocks());
  }

  Export export() {
    return export;
  }

  RegisteredMemory memory() {
    return memory;
  }

  boolean touches(RegisteredMemory where, Set<Integer> some) {
    return memory == where && !Collections.disjoint(blocks, some);
  }

  boolean isOverdue(long nowNs) {
    return nowNs - deadlineNs >= 0;
  }

  /** Takes the same time for any wrong key. */
  boolean opensWith(long keyHigh, long keyLow) {
    return ((keyHigh ^ export.keyHigh()) | (keyLow ^ export.keyLow())) == 0;
  }

  boolean hasAll(List<BlockMove> moves) {
    return moves.stream().allMatch(move -> blocks.contains(move.sourceBlock()));
  }

  /** {@code false} when it has ended, else it waits for {@link #leave}. */
  synchronized boolean enter() {
    if (ending != null) return false;
    entered++;
    return true;
  }

  void leave(int writtenBlocks) {
    synchronized (this) {
      entered--;
      readBlocks += writtenBlocks;
    }
    tellWhenOver();
  }

  /** {@code false} when it has ended before. */
  boolean end(GrantOutcome.Ending why) {
    synchronized (this) {
      if (ending != null) return false;
      ending = why;
    }
    tellWhenOver();
    return true;
  }

  private void tellWhenOver() {
    final ExportOutcome outcome;
    synchronized (this) {
      if (told || ending == null || entered > 0) return;
      told = true;
      outcome = new ExportOutcome(export.id(), ending, readBlocks);
    }
    listener.accept(outcome);
  }
}
