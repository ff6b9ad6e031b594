package dev.stator.cli.bench;

import java.util.SplittableRandom;

/**
 * Prompts of common English words, drawn from a seed: equal seeds give equal prompts. Sizes are in
 * tokens, which {@link TokenRatio} turns into words.
 */
final class PromptGenerator {
  /** Words that most vocabularies hold as one token each. */
  private static final String[] WORDS =
      ("the of and to in that is was for it with as his on be at by had not are but from or have an"
           + " they which one you were her all she there would their we him been has when who will"
           + " more no if out so said what up its about into than them can only other new some"
           + " could time these two may then do first any my now such like our over man me even"
           + " most made after also did many before must through back years where much your way"
           + " well down should because each just those people how too little state good very make"
           + " world still own see men work long get here between both life being under never day"
           + " same another know while last might us great old year off come since against go came"
           + " right used take three")
          .split(" ");

  private static final long PREFIX_STREAM = 0x5EEDL;
  private final long seed;
  private final TokenRatio ratio;

  PromptGenerator(long seed, TokenRatio ratio) {
    this.seed = seed;
    this.ratio = ratio;
  }

  /**
   * @param index of the request; different indices have different prompts
   * @param tokens of the whole prompt, as near as words allow
   * @param sharedPrefixTokens at its start, equal for all indices
   */
  String prompt(int index, int tokens, int sharedPrefixTokens) {
    final int words = ratio.words(tokens);
    final int prefixWords = Math.min(words, (int) Math.round(sharedPrefixTokens / ratio.perWord()));
    final StringBuilder text = new StringBuilder();
    append(text, random(PREFIX_STREAM), prefixWords);
    append(text, random((index + 1L) << 16), words - prefixWords);
    return text.toString();
  }

  /**
   * A prompt of blocks: equal ids are equal text.
   *
   * @param blockTokens tokens of each block but the last, which has what is left
   */
  String prompt(long[] blockIds, int tokens, int blockTokens) {
    final int words = ratio.words(tokens);
    final int blockWords = Math.max(1, (int) Math.round(blockTokens / ratio.perWord()));
    final StringBuilder text = new StringBuilder();
    int left = words;
    for (int i = 0; i < blockIds.length && left > 0; i++) {
      final int count = i == blockIds.length - 1 ? left : Math.min(left, blockWords);
      append(text, random(~blockIds[i]), count);
      left -= count;
    }
    return text.toString();
  }

  /** Exactly {@code count} words. */
  String words(int index, int count) {
    final StringBuilder text = new StringBuilder();
    append(text, random(index), count);
    return text.toString();
  }

  private SplittableRandom random(long stream) {
    return new SplittableRandom(seed * 0x9E3779B97F4A7C15L + stream * 0xD1B54A32D192ED03L);
  }

  private static void append(StringBuilder text, SplittableRandom random, int wordCount) {
    for (int i = 0; i < wordCount; i++) {
      if (!text.isEmpty()) text.append(' ');
      text.append(WORDS[random.nextInt(WORDS.length)]);
    }
  }
}
