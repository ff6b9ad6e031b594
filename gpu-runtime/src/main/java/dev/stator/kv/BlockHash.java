package dev.stator.kv;

/**
 * The 128-bit name of a full block: of its tokens and, through its parent, of everything before
 * them.
 */
public record BlockHash(long high, long low) {
  @Override
  public String toString() {
    return "%016x%016x".formatted(high, low);
  }
}
