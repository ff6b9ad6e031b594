package dev.stator.cli;

/**
 * A node that could not be started. The message is one sentence for the user: what was tried, and
 * what to change.
 */
public final class NodeStartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public NodeStartException(String message) {
    super(message);
  }

  public NodeStartException(String message, Throwable cause) {
    super(message, cause);
  }
}
