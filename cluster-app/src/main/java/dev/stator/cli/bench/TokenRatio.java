package dev.stator.cli.bench;

/**
 * How words become tokens: {@code tokens = fixed + perWord * words}. {@code fixed} is the chat
 * template's part.
 */
record TokenRatio(double fixed, double perWord) {
  /** For servers that do not count: a common figure for English. */
  static final TokenRatio UNKNOWN = new TokenRatio(0, 1.3);

  TokenRatio {
    if (!(perWord > 0)) throw new IllegalArgumentException("tokens per word: " + perWord);
  }

  /** The line through two measured prompts; {@link #UNKNOWN} when they are on none that rises. */
  static TokenRatio through(int fewWords, int fewTokens, int manyWords, int manyTokens) {
    final double perWord = (double) (manyTokens - fewTokens) / (manyWords - fewWords);
    if (!(perWord > 0)) return UNKNOWN;
    return new TokenRatio(Math.max(0, fewTokens - perWord * fewWords), perWord);
  }

  /** Words of a prompt of {@code tokens} tokens; at least one. */
  int words(int tokens) {
    return Math.max(1, (int) Math.round((tokens - fixed) / perWord));
  }
}
