package dev.stator.transport;

/**
 * Blocks of a device as processes of one host share them: another process gets a handle, opens it
 * with its own device, and pulls blocks, from device to device. Nobody but the owner writes into
 * the blocks.
 *
 * <p><b>Threads:</b> any.
 */
public interface DevicePool {
  /** The longest {@link #handle}, in bytes. */
  int HANDLE_BYTES_MAX = 256;

  /**
   * Names these blocks to other processes, as long as their owner keeps them; opaque to all but
   * another pool's {@link #open}.
   *
   * @return the caller's; {@code null} when no other process can get at them, or longer than {@link
   *     #HANDLE_BYTES_MAX}, which is as good as none
   */
  byte[] handle();

  /**
   * Opens another process's blocks, to be pulled into these.
   *
   * @param handle as it came, from whoever; not to be kept
   * @return closed by the caller, before these blocks go; {@code null} when they cannot be got at
   *     from here, or are not blocks like these; why is the pool's to log
   */
  Source open(byte[] handle);

  /**
   * Another process's blocks.
   *
   * <p><b>Threads:</b> one at a time.
   */
  interface Source extends AutoCloseable {
    /** How many there are: what its handle says. */
    int blockCount();

    /**
     * Waits until the bytes of each block are those of one of these. No checksum is taken: they are
     * what they were before and after, as their owner knows.
     *
     * @param blocks of the source, less than {@link #blockCount}
     * @param targets equally many, of the pool that opened it
     * @throws RuntimeException when a device fails; the targets may hold anything
     */
    void pull(int[] blocks, int[] targets);

    /** Lets them go; throws nothing when their owner has gone. */
    @Override
    void close();
  }
}
