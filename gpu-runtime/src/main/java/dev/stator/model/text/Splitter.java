package dev.stator.model.text;

/**
 * Cuts a text into the words within which tokens are merged. Stateless: any number of threads may
 * use one.
 */
@FunctionalInterface
interface Splitter {
  /** Takes the words in order; each is not empty. */
  @FunctionalInterface
  interface WordSink {
    void word(String text, int start, int end);
  }

  /** The text is one word. */
  Splitter WHOLE = (text, start, end, sink) -> sink.word(text, start, end);

  /**
   * Cuts the characters of {@code text} from {@code start} until {@code end}; what lies outside is
   * not looked at. The range cuts no surrogate pair.
   */
  void split(String text, int start, int end, WordSink sink);

  /** Cuts each of this one's words once more. */
  default Splitter then(Splitter next) {
    if (this == WHOLE) return next;
    if (next == WHOLE) return this;
    return (text, start, end, sink) ->
        split(text, start, end, (word, from, to) -> next.split(word, from, to, sink));
  }
}
