package dev.stator.transport;

import java.lang.foreign.MemorySegment;

/**
 * A block that arrives in pieces, written straight into its place where the CPU addresses it, else
 * into a buffer first. It counts as arrived by {@link #finish} alone.
 *
 * <p><b>Threads:</b> one at a time.
 */
public interface BlockLanding {
  /** How it ended, {@code null} while it takes pieces. */
  TransferStatus ended();

  /**
   * Writes a piece; pieces in order are cheapest. Ends the landing when the piece does not lie
   * within the block, nobody may write there any more, or no buffer is free.
   *
   * @param bytes owned by the caller, read during the call only, each byte once
   * @return whether it was written
   */
  boolean put(long offset, MemorySegment bytes);

  /**
   * Verifies the whole block as it now lies there.
   *
   * @param checksum CRC32C of the block as it left
   */
  TransferStatus finish(int checksum);

  /** Nothing more will come: gives up the block, at once and not with its grant. */
  void abandon();
}
