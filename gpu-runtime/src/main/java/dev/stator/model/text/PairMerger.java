package dev.stator.model.text;

/**
 * Joins neighbouring symbols of a word as long as two of them may be joined: always the pair of
 * least rank, of equal ones the leftmost. A word of n symbols takes O(n log n) steps. One word's
 * own.
 */
abstract class PairMerger {
  private static final int NONE = -1;

  private final int[] previous;
  private final int[] next;
  private final boolean[] isGone;
  private final LongQueue candidates = new LongQueue();

  PairMerger(int count) {
    previous = new int[count];
    next = new int[count];
    isGone = new boolean[count];
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1 < count ? i + 1 : NONE;
    }
  }

  /** The rank at which two neighbouring symbols are joined, or -1 where they are not. */
  abstract int rank(int left, int right);

  /** Makes {@code left} what the two are together. */
  abstract void join(int left, int right, int rank);

  /** Takes a symbol that is left at the end. */
  abstract void emit(int symbol);

  /** Joins all that can be joined, then emits what is left, in order. */
  final void run() {
    for (int i = 1; i < next.length; i++) offer(i - 1, i);
    while (!candidates.isEmpty()) {
      final long candidate = candidates.poll();
      final int rank = (int) (candidate >>> 32);
      final int left = (int) candidate;
      final int right = isGone[left] ? NONE : next[left];
      // A candidate is stale when one of its symbols has been joined with another since.
      if (right == NONE || rank(left, right) != rank) continue;
      join(left, right, rank);
      isGone[right] = true;
      next[left] = next[right];
      if (next[left] != NONE) previous[next[left]] = left;
      offer(previous[left], left);
      offer(left, next[left]);
    }
    for (int i = 0; i < next.length && i != NONE; i = next[i]) emit(i);
  }

  private void offer(int left, int right) {
    if (left == NONE || right == NONE) return;
    final int rank = rank(left, right);
    if (rank >= 0) candidates.add(((long) rank << 32) | left);
  }
}
