package dev.stator.model.text;

/** Changes a part of a text before it is cut into words. Stateless. */
@FunctionalInterface
interface TextRewriter {
  TextRewriter NONE = (text, isFirst) -> text;

  /**
   * The part as it goes on.
   *
   * @param text not empty
   * @param isFirst whether the whole text begins with it
   */
  String rewrite(String text, boolean isFirst);

  default TextRewriter then(TextRewriter next) {
    if (this == NONE) return next;
    if (next == NONE) return this;
    return (text, isFirst) -> {
      final String rewritten = rewrite(text, isFirst);
      return rewritten.isEmpty() ? rewritten : next.rewrite(rewritten, isFirst);
    };
  }
}
