package dev.stator.device.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The likeliest token of each of a step's rows of logits, found on the device: some bytes a row to
 * copy, where the logits are hundreds of kilobytes.
 *
 * <p><b>Threads:</b> the driver's. <b>Ownership:</b> the driver frees its memory.
 */
final class BestTokens {
  private final Kernels kernels;
  private final long ids; // int32 [rows]
  private final MemorySegment host; // The same.

  BestTokens(Driver driver, Kernels kernels, DeviceMemory memory, int rowsMax) {
    this.kernels = kernels;
    final long bytes = (long) rowsMax * Integer.BYTES;
    ids = memory.take("likeliest tokens", bytes);
    host = driver.allocateHost(bytes);
  }

  /**
   * Gives the search of {@code count} rows to the stream.
   *
   * @param logits float32 [count][vocabulary]
   */
  void find(long logits, int vocabularySize, int count) {
    kernels.argmax(logits, ids, vocabularySize, count);
  }

  /** Gives the copy of what was found to the stream. */
  void fetch(int count) {
    kernels.stream().copyToHost(host.asSlice(0, (long) count * Integer.BYTES), ids);
  }

  /** As {@link dev.stator.device.StepOutput#best}; once the stream has come by the copy. */
  int of(int row) {
    return host.getAtIndex(ValueLayout.JAVA_INT, row);
  }
}
