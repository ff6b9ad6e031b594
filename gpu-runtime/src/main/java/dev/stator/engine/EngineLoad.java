package dev.stator.engine;

/**
 * What an engine holds now, and what it has done since its start.
 *
 * @param usedBlocks held by a sequence
 * @param cachedBlocks full, findable, held by nobody
 * @param waitingTokens prompt tokens still to be computed, of waiting and running sequences
 * @param prefixQueriedTokens prompt tokens looked up in the cache since the start
 * @param prefixHitTokens of these, found
 * @param computedTokens by all steps, drafts included
 * @param draftedTokens guesses of next tokens, computed beside the tokens before them
 * @param acceptedTokens answer tokens that drafts have saved a step
 * @param hostTier blocks in the host's memory
 */
public record EngineLoad(
    int runningSequences,
    int waitingSequences,
    int usedBlocks,
    int cachedBlocks,
    int totalBlocks,
    long waitingTokens,
    long prefixQueriedTokens,
    long prefixHitTokens,
    long preemptions,
    long steps,
    long computedTokens,
    long draftedTokens,
    long acceptedTokens,
    HostTierLoad hostTier) {
  /** Without a host tier. */
  public EngineLoad(
      int runningSequences,
      int waitingSequences,
      int usedBlocks,
      int cachedBlocks,
      int totalBlocks,
      long waitingTokens,
      long prefixQueriedTokens,
      long prefixHitTokens,
      long preemptions,
      long steps,
      long computedTokens,
      long draftedTokens,
      long acceptedTokens) {
    this(
        runningSequences,
        waitingSequences,
        usedBlocks,
        cachedBlocks,
        totalBlocks,
        waitingTokens,
        prefixQueriedTokens,
        prefixHitTokens,
        preemptions,
        steps,
        computedTokens,
        draftedTokens,
        acceptedTokens,
        HostTierLoad.NONE);
  }
}
