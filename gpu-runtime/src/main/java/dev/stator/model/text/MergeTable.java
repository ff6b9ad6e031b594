package dev.stator.model.text;

import dev.stator.model.ModelFormatException;

/** The merges of a BPE vocabulary: which two tokens make a third, and at which rank. */
final class MergeTable {
  private final PairTable ranks;
  private final IntArray results;
  private final TokenIndex index;
  private final boolean lastCounts;

  /**
   * @param index finds the tokens that merges name
   * @param expectedCount how many merges will come
   * @param lastCounts whether of two merges of one pair the last counts, not the first
   */
  MergeTable(TokenIndex index, int expectedCount, boolean lastCounts) {
    this.index = index;
    this.lastCounts = lastCounts;
    ranks = new PairTable(expectedCount);
    results = new IntArray(expectedCount);
  }

  /**
   * Adds the merge of the next rank.
   *
   * @throws ModelFormatException when one of the three is not in the vocabulary
   */
  void add(String left, String right) {
    final String result = left + right;
    final int leftId = id(left, result);
    final int rightId = id(right, result);
    if (lastCounts) ranks.put(leftId, rightId, results.size());
    else ranks.putIfAbsent(leftId, rightId, results.size());
    results.add(id(result, result));
  }

  /** The rank of the merge of two tokens, or -1. */
  int rank(int left, int right) {
    return ranks.get(left, right);
  }

  /** The token that the merge of a rank makes. */
  int result(int rank) {
    return results.get(rank);
  }

  private int id(String spelling, String result) {
    final int id = index.find(spelling);
    if (id == TokenIndex.ABSENT) {
      throw new ModelFormatException(
          "merge %d, which makes %s, names %s, which is not in the vocabulary"
              .formatted(results.size(), Excerpt.of(result), Excerpt.of(spelling)));
    }
    return id;
  }
}
