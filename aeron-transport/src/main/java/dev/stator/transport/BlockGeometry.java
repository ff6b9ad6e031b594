package dev.stator.transport;

import java.util.Optional;

/**
 * What two ends must share for the bytes of a block to mean the same.
 *
 * @param blockBytes length of every block, less than 2 GiB
 * @param layout how the values lie in it: types, heads, layers; compared, never parsed; at most 512
 *     bytes
 */
public record BlockGeometry(long blockBytes, String layout) {
  /** Of bytes that mean nothing in particular. */
  public static final String PLAIN = "plain";

  public BlockGeometry {
    if (blockBytes <= 0 || blockBytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("block bytes must be in 1..2^31-1: " + blockBytes);
    }
    if (layout.isEmpty()) throw new IllegalArgumentException("a layout needs a description");
    AgentAddress.requireShort(layout);
  }

  /** Why blocks cannot go from one to the other; empty when they can. */
  public Optional<String> refusal(BlockGeometry target) {
    if (equals(target)) return Optional.empty();
    return Optional.of(
        "blocks of " + describe() + " cannot be written where blocks are " + target.describe());
  }

  private String describe() {
    return blockBytes + " bytes [" + layout + "]";
  }
}
