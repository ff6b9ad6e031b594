package dev.stator.engine;

/**
 * What an engine's host tier holds now, and what it has done since its start.
 *
 * @param usedBlocks that can be found there
 * @param totalBlocks that it has room for; 0 without such a tier
 * @param storedBlocks copied there
 * @param loadedBlocks copied back
 * @param hits sequences that have found blocks there
 */
public record HostTierLoad(
    int usedBlocks, int totalBlocks, long storedBlocks, long loadedBlocks, long hits) {
  /** Without such a tier. */
  public static final HostTierLoad NONE = new HostTierLoad(0, 0, 0, 0, 0);
}
