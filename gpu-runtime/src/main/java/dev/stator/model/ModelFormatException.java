package dev.stator.model;

/**
 * A model file that cannot be served. The message is one sentence for the user: what is wrong, with
 * the value found and the value expected.
 */
public final class ModelFormatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ModelFormatException(String message) {
    super(message);
  }

  public ModelFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
