package dev.stator.device;

import java.lang.foreign.MemorySegment;

/**
 * Copies of blocks that the CPU does not address, through page-locked buffers of one block each, of
 * which there is a fixed number.
 *
 * <p><b>Threads:</b> any, beside a running step. <b>Blocks:</b> such that no sequence of a running
 * step uses.
 */
public interface BlockCopies {
  /**
   * A buffer, the caller's until {@link #give}; what is in it is undefined.
   *
   * @return off-heap, valid until the device is closed; {@code null} when all are taken
   */
  MemorySegment take();

  /** Gives back what {@link #take} gave, once; does no harm after the device is closed. */
  void give(MemorySegment buffer);

  /**
   * Waits until a block's bytes are in a buffer.
   *
   * @param to a taken buffer
   * @throws IllegalArgumentException for a block or a length that the device does not have
   * @throws RuntimeException when the device fails, or is closed
   */
  void read(int block, MemorySegment to);

  /**
   * Waits until a buffer's bytes are the block's, as steps that begin later see it.
   *
   * @param from a taken buffer
   * @throws IllegalArgumentException as for {@link #read}
   * @throws RuntimeException when the device fails, or is closed; the block may hold anything
   */
  void write(int block, MemorySegment from);

  /**
   * Waits until a block's bytes are a block's of another device, as that one's steps that begin
   * later see it: without a buffer, past the host.
   *
   * @param target of a device of this process, which is open until this returns
   * @return {@code false} when the two devices do not reach each other; nothing was written then
   * @throws IllegalArgumentException for a block that one of the devices does not have
   * @throws RuntimeException when a device fails, or is closed; the block may hold anything
   */
  default boolean copyTo(int block, BlockCopies target, int targetBlock) {
    return false;
  }

  /**
   * Names these blocks to other processes of this host, which may pull from them until the device
   * is closed; opaque, at most 256 bytes.
   *
   * @return the caller's; {@code null} when no other process can get at them
   */
  default byte[] handle() {
    return null;
  }

  /**
   * Opens what another process's {@link #handle} names.
   *
   * @param handle as it came, from whoever
   * @return closed by the caller, before this device; {@code null} when the blocks cannot be got at
   *     from here, or are not like these; a device that ever opens any logs why
   */
  default PeerBlocks open(byte[] handle) {
    return null;
  }

  /**
   * Another process's blocks.
   *
   * <p><b>Threads:</b> one at a time, beside a running step.
   */
  interface PeerBlocks extends AutoCloseable {
    /** How many there are, by the handle. */
    int blockCount();

    /**
     * Waits until the bytes of each of these are a block's of the device that opened them, as its
     * steps that begin later see it. Whoever owns them knows whether they are what they were.
     *
     * @param blocks less than {@link #blockCount}
     * @param targets equally many
     * @throws IllegalArgumentException for a block that one of the devices does not have
     * @throws RuntimeException when the device fails, or is closed; the targets may hold anything
     */
    void pull(int[] blocks, int[] targets);

    /** Lets them go; throws nothing, whether their owner or the device has gone before. */
    @Override
    void close();
  }
}
