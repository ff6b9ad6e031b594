package dev.stator.transport;

/**
 * Copies blocks of one memory into others of this process, past the CPU. What arrives is not
 * verified: the machine's own checks of such copies must do.
 *
 * <p><b>Threads:</b> any.
 */
@FunctionalInterface
public interface StraightCopies {
  /**
   * Waits until a block's bytes are the target block's.
   *
   * @return {@code false} when the two memories do not reach each other; nothing was written then
   * @throws RuntimeException when a memory is broken; the target block may hold anything
   */
  boolean copy(int block, BlockMemory target, int targetBlock);
}
