package dev.stator.worker;

import dev.stator.engine.EngineLoad;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.Set;

/**
 * A worker's figures at one moment. Counters count since the worker's start.
 *
 * @param roles empty while it drains
 * @param load preemptions, steps and prefix hits are in here
 * @param lastBatchTokens tokens that the last step computed
 * @param lastBatchSequences sequences that the last step computed
 * @param lastStepSeconds how long the last step took
 * @param stepSecondsTotal how long all steps took
 * @param transferSentBytes KV bytes written into other workers' blocks
 * @param transferReceivedBytes KV bytes that arrived, verified, in this worker's blocks
 * @param remotePrefills prompts whose blocks this worker took from others
 * @param remotePrefillFallbacks of these, how many it had to finish itself
 * @param transferSendSeconds how long writes of prefills were on their way, over all prefills
 * @param transferExposedSeconds of these, how long nothing of the prompt was left to compute
 */
public record WorkerStats(
    WorkerId id,
    Set<WorkerRole> roles,
    EngineLoad load,
    int lastBatchTokens,
    int lastBatchSequences,
    double lastStepSeconds,
    double stepSecondsTotal,
    long transferSentBytes,
    long transferReceivedBytes,
    long remotePrefills,
    long remotePrefillFallbacks,
    double transferSendSeconds,
    double transferExposedSeconds) {
  /** The share of the sending time that computing has hidden; 1 when nothing was sent. */
  public double transferHiddenShare() {
    return transferSendSeconds == 0 ? 1 : 1 - transferExposedSeconds / transferSendSeconds;
  }
}
