package dev.stator.transport.wire;

/** The block of a grant that a fragment goes into, and the key that opens the grant. */
public record BlockTarget(long grantId, long keyHigh, long keyLow, int block) {
  /** Without the key: it may end up in logs. */
  @Override
  public String toString() {
    return "BlockTarget[" + grantId + ", " + block + "]";
  }
}
