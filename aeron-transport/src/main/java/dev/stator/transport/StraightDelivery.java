package dev.stator.transport;

/**
 * A whole block that comes in past the CPU, from another memory of this process.
 *
 * @param blockBytes its length
 */
public record StraightDelivery(
    long grantId, long keyHigh, long keyLow, int targetBlock, long blockBytes, Source source) {
  /** The block where it is. */
  @FunctionalInterface
  public interface Source {
    /** As {@link StraightCopies#copy}. */
    boolean copyTo(BlockMemory target, int targetBlock);
  }
}
