package dev.stator.worker;

/**
 * A router's figures at one moment. Counters count since its start.
 *
 * @param workers known and alive
 * @param pending requests that wait for a worker
 * @param inFlight requests placed and not ended
 * @param indexedBlocks (block, worker) pairs in the prefix index
 * @param placedLocal placements whose worker prefills itself
 * @param placedRemote placements with another worker for the prefill
 * @param placedPull placements whose worker gets cached blocks from another
 * @param refused requests without a place
 * @param kvGaps holes found in KV event streams
 * @param rebuildNs from its start until {@code router.settle-time} was over and it had the dumps of
 *     all workers that it knew, one at least; {@link #REBUILDING} until then
 */
public record RouterStats(
    int workers,
    int pending,
    int inFlight,
    long indexedBlocks,
    long placedLocal,
    long placedRemote,
    long placedPull,
    long refused,
    long kvGaps,
    long rebuildNs) {
  public static final long REBUILDING = -1;
  public static final RouterStats NONE = new RouterStats(0, 0, 0, 0, 0, 0, 0, 0, 0, REBUILDING);

  /** Of two models together; they rebuild as long as one of them does. */
  public RouterStats plus(RouterStats other) {
    return new RouterStats(
        workers + other.workers,
        pending + other.pending,
        inFlight + other.inFlight,
        indexedBlocks + other.indexedBlocks,
        placedLocal + other.placedLocal,
        placedRemote + other.placedRemote,
        placedPull + other.placedPull,
        refused + other.refused,
        kvGaps + other.kvGaps,
        rebuildNs == REBUILDING || other.rebuildNs == REBUILDING
            ? REBUILDING
            : Math.max(rebuildNs, other.rebuildNs));
  }
}
