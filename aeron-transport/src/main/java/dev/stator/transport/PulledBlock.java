package dev.stator.transport;

/**
 * A block that was pulled out of another process's device, and waits for its writer to confirm that
 * it held the source all the while. It counts as arrived by {@link #confirm} alone; until then it
 * holds nothing up: the grant may end, and another may take over its block.
 *
 * <p><b>Threads:</b> one at a time.
 */
public interface PulledBlock {
  /** How it ended, {@code null} while it waits. */
  TransferStatus ended();

  /** The source held what was pulled. Only where nobody has touched the block since, it arrives. */
  TransferStatus confirm();

  /** Nobody confirms it: gives up the block. */
  void abandon();
}
