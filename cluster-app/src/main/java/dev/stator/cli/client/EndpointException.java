package dev.stator.cli.client;

/** A request that a server did not answer as it should. The message is one sentence. */
public final class EndpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final String kind;

  /**
   * Its message is {@code kind: detail}.
   *
   * @param kind what to count it under: {@code HTTP 429}, {@code connection}, {@code timeout},
   *     {@code error event}, {@code cut off}, {@code not understood}
   */
  public EndpointException(String kind, String detail) {
    super(kind + ": " + detail);
    this.kind = kind;
  }

  /** Few distinct values, to count failures by. */
  public String kind() {
    return kind;
  }
}
