package dev.stator.model.text;

/** Byte-pair encoding: a word's first symbols are joined by the merges of the vocabulary. */
final class MergeEncoder implements WordEncoder {
  /** The symbols that a word is made of before anything is merged. */
  @FunctionalInterface
  interface Symbols {
    void of(String text, int start, int end, IntArray ids);
  }

  private final Symbols symbols;
  private final MergeTable merges;

  MergeEncoder(Symbols symbols, MergeTable merges) {
    this.symbols = symbols;
    this.merges = merges;
  }

  @Override
  public void encode(String text, int start, int end, IntArray ids) {
    final IntArray first = new IntArray(end - start);
    symbols.of(text, start, end, first);
    if (first.size() == 1) ids.add(first.get(0));
    else new Word(first.toArray(), ids).run();
  }

  private final class Word extends PairMerger {
    private final int[] symbols;
    private final IntArray ids;

    Word(int[] symbols, IntArray ids) {
      super(symbols.length);
      this.symbols = symbols;
      this.ids = ids;
    }

    @Override
    int rank(int left, int right) {
      return merges.rank(symbols[left], symbols[right]);
    }

    @Override
    void join(int left, int right, int rank) {
      symbols[left] = merges.result(rank);
    }

    @Override
    void emit(int symbol) {
      ids.add(symbols[symbol]);
    }
  }
}
