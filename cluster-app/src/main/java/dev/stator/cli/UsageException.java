package dev.stator.cli;

/** Options that make no sense, alone or together. The message is one sentence; the exit code 2. */
public final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }
}
