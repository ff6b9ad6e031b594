package dev.stator.worker;

import dev.stator.engine.EngineLoad;
import dev.stator.engine.StepReport;
import dev.stator.protocol.StepSums;
import dev.stator.protocol.WorkRates;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.time.Duration;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Gathers one worker's figures and keeps its line on the board fresh.
 *
 * <p><b>Threads:</b> any; the engine's, the worker's and its roles' write.
 */
final class WorkerGauge {
  private static final EngineLoad NOTHING = new EngineLoad(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  private final WorkerId id;
  private final StatsBoard board;
  private final LongSupplier nanoClock;
  private final RecentRate promptTokens; // Guarded by this, as all below.
  private final RecentRate sendBytes;

  private Set<WorkerRole> roles;
  private EngineLoad load = NOTHING;
  private int batchTokens;
  private int batchSequences;
  private double stepSeconds;
  private double stepSecondsTotal;
  private StepSums steps = StepSums.NONE;
  private long sentBytes;
  private long receivedBytes;
  private long remotePrefills;
  private long fallbacks;
  private long sendNs;
  private long exposedSendNs;
  private boolean closed;

  /**
   * @param rateMaxAge how long rates count after what they were measured by
   */
  WorkerGauge(
      WorkerId id,
      Set<WorkerRole> roles,
      StatsBoard board,
      LongSupplier nanoClock,
      Duration rateMaxAge) {
    this.id = id;
    this.roles = roles;
    this.board = board;
    this.nanoClock = nanoClock;
    this.promptTokens = new RecentRate(rateMaxAge);
    this.sendBytes = new RecentRate(rateMaxAge);
  }

  synchronized void stepped(StepReport report, EngineLoad newLoad, double seconds) {
    batchTokens = report.batchTokenCount();
    batchSequences = report.batchSequenceCount();
    stepSeconds = seconds;
    stepSecondsTotal += seconds;
    final long choosing =
        report.progress().stream().filter(progress -> !progress.tokens().isEmpty()).count();
    final long prompt = Math.max(0, report.batchTokenCount() - report.batchDraftCount() - choosing);
    if (report.batchTokenCount() > 0) {
      steps = steps.plus(StepSums.of(prompt, choosing, newLoad.usedBlocks(), seconds));
    }
    if (prompt > 0) promptTokens.add(prompt, seconds, nanoClock.getAsLong());
    loaded(newLoad);
  }

  synchronized void loaded(EngineLoad newLoad) {
    load = newLoad;
    publish();
  }

  synchronized void rolesTaken(Set<WorkerRole> newRoles) {
    roles = newRoles;
    publish();
  }

  synchronized void sent(long bytes) {
    sentBytes += bytes;
    publish();
  }

  /** A write of blocks has arrived as a whole. */
  synchronized void wrote(long bytes, long tookNs) {
    sendBytes.add(bytes, tookNs / 1e9, nanoClock.getAsLong());
  }

  /** As of now. */
  synchronized WorkRates rates() {
    final long nowNs = nanoClock.getAsLong();
    return new WorkRates(promptTokens.perSecond(nowNs), sendBytes.perSecond(nowNs));
  }

  /** Writes of a prefill have ended. */
  synchronized void sendTimed(long totalNs, long exposedNs) {
    sendNs += totalNs;
    exposedSendNs += exposedNs;
    publish();
  }

  synchronized void received(long bytes) {
    receivedBytes += bytes;
    publish();
  }

  synchronized void remotePrefillEnded(boolean complete) {
    remotePrefills++;
    if (!complete) fallbacks++;
    publish();
  }

  synchronized EngineLoad load() {
    return load;
  }

  /** All steps so far. */
  synchronized StepSums steps() {
    return steps;
  }

  /** Takes the line off the board. */
  synchronized void close() {
    closed = true;
    board.remove(id);
  }

  private void publish() {
    if (closed) return;
    board.publish(
        new WorkerStats(
            id,
            roles,
            load,
            batchTokens,
            batchSequences,
            stepSeconds,
            stepSecondsTotal,
            sentBytes,
            receivedBytes,
            remotePrefills,
            fallbacks,
            sendNs / 1e9,
            exposedSendNs / 1e9));
  }
}
