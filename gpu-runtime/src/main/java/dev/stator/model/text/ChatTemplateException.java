package dev.stator.model.text;

/**
 * A conversation that the model's template rejects, or a template that cannot be used; the message
 * is for the user.
 */
public final class ChatTemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ChatTemplateException(String message) {
    super(message);
  }
}
