package dev.stator.http;

/**
 * Ends the handling of a request with an {@link ApiError}. Carries no stack trace: it is no bug.
 */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient ApiError error;

  ApiException(ApiError error) {
    super(error.message(), null, false, false);
    this.error = error;
  }

  ApiError error() {
    return error;
  }
}
