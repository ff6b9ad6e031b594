package dev.stator.transport;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Another process's device blocks, by the handle it sent: opened by each memory that pulls from
 * them, once, and closed with that memory or with this.
 *
 * <p><b>Threads:</b> any; one pull at a time.
 */
public final class PeerPool implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PeerPool.class);

  private final byte[] handle;

  // Guarded by this.
  private final Map<RegisteredMemory, Opening> openings = new HashMap<>();
  private boolean closed;

  /** What came of opening it. Source: {@code null} when it was refused. */
  private record Opening(DevicePool.Source source) {}

  /**
   * @param handle of at most {@link DevicePool#HANDLE_BYTES_MAX} bytes; this object's from now on
   */
  public PeerPool(byte[] handle) {
    this.handle = handle;
  }

  /**
   * Pulls blocks into a memory that the caller has entered.
   *
   * @param ends of each block, {@code null} for those to be pulled; all are set
   */
  synchronized void pull(
      RegisteredMemory memory, int[] blocks, int[] targets, TransferStatus[] ends) {
    final DevicePool.Source source = closed ? null : source(memory);
    if (source == null) {
      endAll(ends, closed ? TransferStatus.OUT_OF_RANGE : TransferStatus.UNREACHABLE);
      return;
    }
    for (int i = 0; i < ends.length; i++) {
      if (blocks[i] < 0 || blocks[i] >= source.blockCount()) ends[i] = TransferStatus.OUT_OF_RANGE;
    }
    source.pull(without(ends, blocks), without(ends, targets));
    endAll(ends, TransferStatus.OK);
  }

  private DevicePool.Source source(RegisteredMemory memory) {
    Opening opening = openings.get(memory);
    if (opening == null) {
      final DevicePool pool = memory.device();
      opening = new Opening(pool == null ? null : pool.open(handle.clone()));
      if (opening.source == null) LOG.info("Another process's device is not got at from here");
      openings.put(memory, opening);
      memory.opened(this);
    }
    return opening.source;
  }

  private static void endAll(TransferStatus[] ends, TransferStatus status) {
    for (int i = 0; i < ends.length; i++) if (ends[i] == null) ends[i] = status;
  }

  /** Those of the values that have not ended. */
  private static int[] without(TransferStatus[] ends, int[] values) {
    final int[] left = new int[values.length];
    int count = 0;
    for (int i = 0; i < values.length; i++) if (ends[i] == null) left[count++] = values[i];
    return Arrays.copyOf(left, count);
  }

  /** The memory goes; nobody is within. */
  synchronized void forget(RegisteredMemory memory) {
    final Opening opening = openings.remove(memory);
    if (opening != null && opening.source != null) opening.source.close();
  }

  /** Nothing is pulled from it afterwards. */
  @Override
  public synchronized void close() {
    closed = true;
    openings.forEach((memory, opening) -> {
      if (opening.source != null) opening.source.close();
      memory.closed(this); // Not before: a memory goes when all that it opened is closed.
    });
    openings.clear();
  }
}
