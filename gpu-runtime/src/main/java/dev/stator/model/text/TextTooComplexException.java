package dev.stator.model.text;

/**
 * A text on which the pre-tokenizer pattern of the model's own takes too many steps; the message is
 * for the user. The patterns of the known families never do.
 */
public final class TextTooComplexException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public TextTooComplexException(String message) {
    super(message);
  }
}
