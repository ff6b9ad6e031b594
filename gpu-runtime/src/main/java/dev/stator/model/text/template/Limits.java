package dev.stator.model.text.template;

/**
 * What one template may cost, so that a hostile one can neither hang a thread nor exhaust the heap.
 * At a limit the render ends with a {@link dev.stator.model.text.ChatTemplateException} that names
 * it.
 *
 * @param sourceChars length of the template's source; real ones stay below 20,000
 * @param outputChars length of the rendered prompt; 16 Mi is four times a million-token prompt
 * @param steps expressions evaluated, statements run and items visited; text work counts one step
 *     for each 64 characters. A chat of 1,000 messages takes about 100,000
 * @param textChars characters of all strings built while rendering, the output among them
 * @param elements places in all lists, tuples and dicts built while rendering, the request's own
 *     among them
 * @param depth nesting of expressions, statements and macro calls, and of values. Bounds the Java
 *     stack
 */
public record Limits(
    int sourceChars, int outputChars, long steps, long textChars, long elements, int depth) {
  public static final Limits DEFAULT =
      new Limits(1 << 20, 16 << 20, 10_000_000, 64L << 20, 4_000_000, 300);

  public Limits {
    if (sourceChars <= 0
        || outputChars <= 0
        || steps <= 0
        || textChars <= 0
        || elements <= 0
        || depth <= 0) {
      throw new IllegalArgumentException("every template limit must be positive");
    }
  }
}
