package dev.stator.model.text.template;

/** What one render has used of its {@link Limits}. One thread. */
final class Budget {
  /** Characters that are compared or copied at the price of one step. */
  private static final int CHARS_PER_STEP = 64;

  private final Limits limits;
  private long steps;
  private long textChars;
  private long elements;
  private int depth;

  Budget(Limits limits) {
    this.limits = limits;
  }

  Limits limits() {
    return limits;
  }

  void step() {
    steps(1);
  }

  void steps(long count) {
    steps += count;
    if (steps > limits.steps()) {
      throw new TemplateFault("the template ran longer than " + limits.steps() + " steps");
    }
  }

  /** Pays for reading {@code chars} characters. */
  void scan(long chars) {
    steps(chars / CHARS_PER_STEP);
  }

  /** Pays for looking for {@code needle} in {@code haystack}, at worst their lengths' product. */
  void search(String haystack, String needle) {
    final long starts = Math.max(0, haystack.length() - needle.length() + 1);
    scan(starts * Math.max(1, needle.length()));
  }

  /**
   * Pays for a string of that length; call it before building where the input does not bound it.
   */
  void text(long chars) {
    textChars += chars;
    if (textChars > limits.textChars()) {
      throw new TemplateFault(
          "the template built more than " + limits.textChars() + " characters of text");
    }
    scan(chars);
  }

  /** {@link #text(long)} for a string just built. */
  String paid(String built) {
    text(built.length());
    return built;
  }

  /** Pays for that many places in a new list, tuple or dict. */
  void elements(long count) {
    elements += count;
    if (elements > limits.elements()) {
      throw new TemplateFault(
          "the template built more than " + limits.elements() + " list elements");
    }
  }

  void enter() {
    if (++depth > limits.depth()) {
      throw new TemplateFault("the template nests deeper than " + limits.depth() + " levels");
    }
  }

  void leave() {
    depth--;
  }
}
