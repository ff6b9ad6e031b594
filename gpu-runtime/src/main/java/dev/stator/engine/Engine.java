package dev.stator.engine;

import dev.stator.device.Device;

/**
 * Runs sequences on a device: {@code schedule -> step -> commit}. One thread owns an engine;
 * nothing here blocks.
 */
public interface Engine {
  Device device();

  /** Takes a sequence: its prompt is computed, its answer sampled. */
  Admission submit(GenerationRequest request);

  /**
   * Takes a prompt to compute for another engine: only its full blocks before the last token,
   * nothing is sampled. The blocks stay until {@link #release} or {@link #cancel}, also when a step
   * fails.
   */
  Admission prefill(GenerationRequest request);

  /**
   * Takes a sequence whose full prompt blocks another engine will write into {@link
   * Admission.Admitted#blocksToFill}. It holds its blocks and a place among the running sequences
   * from now on and waits until {@link #resume}; it is refused unless both are left when all who
   * wait have theirs. Two engines may come to wait for each other's reserved blocks, so a
   * reservation that is not filled in time must be resumed as it is, or cancelled.
   */
  Admission reserve(GenerationRequest request);

  /**
   * Starts a reserved sequence.
   *
   * @param filledBlockCount how many of the reserved blocks, from the first, hold verified keys and
   *     values; the rest is computed here
   * @throws IllegalArgumentException when that many were not reserved. Unknown ids are ignored.
   */
  void resume(RequestId id, int filledBlockCount);

  /**
   * Takes the full blocks of a prompt, before its last token, that are cached on the device, for
   * another engine; computes nothing. {@link Admission.Admitted#blocksToFill} are these blocks, in
   * sequence order; their bytes stay until {@link #release} or {@link #cancel}. With none, nothing
   * is taken.
   */
  Admission lend(GenerationRequest request);

  /**
   * Lets go of a prefill's or a loan's blocks; the full ones stay findable. One that has not
   * finished ends, so does one whose step failed. Unknown ids are ignored.
   */
  void release(RequestId id);

  /**
   * Ends a sequence in any state and frees its blocks at once, so nobody may write into a reserved
   * one's blocks any more; {@code false} when there is none of this id. Where the engine itself has
   * bytes copied into them, they are free when that has ended.
   */
  boolean cancel(RequestId id);

  /**
   * Whether {@link #step} would compute or report something. Reserved sequences alone, and waiting
   * ones that can only start once reserved or prefilled blocks are let go of, are no work.
   */
  boolean hasWork();

  /**
   * Takes whom to tell, on any thread, when {@link #hasWork} has become true without a call: copies
   * that a sequence waits for have ended. Called before the first sequence comes.
   */
  default void onWork(Runnable listener) {}

  /**
   * Schedules a batch, runs it on the device, commits its results.
   *
   * @throws EngineFailure when the device failed; the batch's answers have ended then, its prefills
   *     hold their blocks until {@link #release} or {@link #cancel}, all others go on
   */
  StepReport step();

  EngineLoad load();
}
