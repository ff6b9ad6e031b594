package dev.stator.engine;

/**
 * Names one sequence across the cluster: a request's id and, for n > 1, the choice's index, joined
 * by {@code /}.
 */
public record RequestId(String value) {
  public RequestId {
    if (value.isEmpty()) throw new IllegalArgumentException("a request id must not be empty");
  }

  @Override
  public String toString() {
    return value;
  }
}
