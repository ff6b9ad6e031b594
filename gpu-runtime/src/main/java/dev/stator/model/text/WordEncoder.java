package dev.stator.model.text;

/** Turns a word into token ids. Any number of threads may use one. */
@FunctionalInterface
interface WordEncoder {
  /** Appends the ids of the characters of {@code text} from {@code start} until {@code end}. */
  void encode(String text, int start, int end, IntArray ids);

  /** One that takes a word that is itself a token as that token, whatever the merges say. */
  default WordEncoder preferring(TokenIndex wholeWords) {
    return (text, start, end, ids) -> {
      final int id = wholeWords.find(text, start, end);
      if (id == TokenIndex.ABSENT) encode(text, start, end, ids);
      else ids.add(id);
    };
  }
}
