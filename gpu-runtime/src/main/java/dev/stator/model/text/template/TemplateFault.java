package dev.stator.model.text.template;

/**
 * Ends a compilation or a render; the outermost call turns it into a {@link
 * dev.stator.model.text.ChatTemplateException}. Carries no stack trace: it is the template's fault.
 */
final class TemplateFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Line in the template, or 0 where only the one who runs the statement knows it. */
  private final int line;

  TemplateFault(String message) {
    this(message, 0);
  }

  TemplateFault(String message, int line) {
    super(message, null, false, false);
    this.line = line;
  }

  int line() {
    return line;
  }
}
