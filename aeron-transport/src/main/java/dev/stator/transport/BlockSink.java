package dev.stator.transport;

import java.lang.foreign.MemorySegment;

/** Where a backend brings blocks that have arrived for an agent. Any thread. */
@FunctionalInterface
public interface BlockSink {
  /**
   * Takes one block: checks the right to write, copies, verifies what was copied. Anything but a
   * full block for a block of a living grant leaves all memory as it was.
   *
   * @param checksum CRC32C of the bytes as they left
   * @param bytes owned by the caller, read during the call only
   */
  TransferStatus deliver(
      long grantId, long keyHigh, long keyLow, int targetBlock, int checksum, MemorySegment bytes);
}
