package dev.stator.model.text;

import java.util.Arrays;

/**
 * SentencePiece's BPE: of all neighbours that are a token together, those of the highest score are
 * joined first. As {@code llm_tokenizer_spm} of llama.cpp.
 */
final class ScoredEncoder implements WordEncoder {
  private final TokenIndex pieces;
  private final int[] rankOfId;
  private final UnknownCharacters unknown;

  /**
   * @param pieces the tokens that text may become: no control token, no byte
   * @param scores by id, not NaN
   */
  ScoredEncoder(TokenIndex pieces, float[] scores, UnknownCharacters unknown) {
    this.pieces = pieces;
    this.unknown = unknown;
    final float[] signless = scores.clone();
    for (int id = 0; id < scores.length; id++) signless[id] += 0f; // -0 becomes 0.
    final float[] sorted = signless.clone();
    Arrays.sort(sorted);
    int distinct = 0;
    for (int i = 0; i < sorted.length; i++) {
      if (i == 0 || sorted[i] != sorted[distinct - 1]) sorted[distinct++] = sorted[i];
    }
    rankOfId = new int[scores.length];
    for (int id = 0; id < scores.length; id++) {
      rankOfId[id] = distinct - 1 - Arrays.binarySearch(sorted, 0, distinct, signless[id]);
    }
  }

  @Override
  public void encode(String text, int start, int end, IntArray ids) {
    final int[] ends = new int[text.codePointCount(start, end)];
    int at = start;
    for (int i = 0; i < ends.length; i++) {
      at = text.offsetByCodePoints(at, 1);
      ends[i] = at;
    }
    new Word(text, start, ends, ids).run();
  }

  /** The symbols are parts of the text: one begins where the one before it, joined or not, ends. */
  private final class Word extends PairMerger {
    private final String text;
    private final int[] starts;
    private final int[] ends;
    private final IntArray ids;
    private boolean lastIsUnknown;

    Word(String text, int start, int[] ends, IntArray ids) {
      super(ends.length);
      this.text = text;
      this.ends = ends;
      this.ids = ids;
      starts = new int[ends.length];
      for (int i = 0; i < ends.length; i++) starts[i] = i == 0 ? start : ends[i - 1];
    }

    @Override
    int rank(int left, int right) {
      final int id = pieces.find(text, starts[left], ends[right]);
      return id == TokenIndex.ABSENT ? -1 : rankOfId[id];
    }

    @Override
    void join(int left, int right, int rank) {
      ends[left] = ends[right];
    }

    @Override
    void emit(int symbol) {
      final int id = pieces.find(text, starts[symbol], ends[symbol]);
      if (id == TokenIndex.ABSENT)
        unknown.add(text.codePointAt(starts[symbol]), lastIsUnknown, ids);
      else ids.add(id);
      lastIsUnknown = id == TokenIndex.ABSENT;
    }
  }
}
