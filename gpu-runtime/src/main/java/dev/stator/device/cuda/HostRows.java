package dev.stator.device.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Rows of floats that come back from the device, through page-locked memory.
 *
 * <p><b>Threads:</b> the driver's. <b>Ownership:</b> the driver frees its memory.
 */
final class HostRows {
  private final Driver.Stream stream;
  private final int rowsMax;
  private final int width;
  private final MemorySegment memory;
  private float[][] rows = {};

  HostRows(Driver driver, Driver.Stream stream, int rowsMax, int width) {
    this.stream = stream;
    this.rowsMax = rowsMax;
    this.width = width;
    this.memory = driver.allocateHost((long) rowsMax * width * Float.BYTES);
  }

  /** Rows that {@link #read} takes at a time. */
  int rowsMax() {
    return rowsMax;
  }

  /** Waits for the stream, and makes what lies at {@code from} the rows from {@code first} on. */
  void read(long from, int first, int count) {
    stream.copyToHost(memory.asSlice(0, (long) count * width * Float.BYTES), from);
    stream.synchronize();
    if (rows.length < first + count) {
      final int known = rows.length;
      rows = Arrays.copyOf(rows, first + count);
      for (int i = known; i < rows.length; i++) rows[i] = new float[width];
    }
    for (int i = 0; i < count; i++) {
      MemorySegment.copy(
          memory,
          ValueLayout.JAVA_FLOAT,
          (long) i * width * Float.BYTES,
          rows[first + i],
          0,
          width);
    }
  }

  /** Valid until the next {@link #read} of it. */
  float[] row(int index) {
    return rows[index];
  }

  /** Waits for the stream; {@code count} floats from there. */
  float[] floats(long from, int count) {
    final float[] values = new float[count];
    final int atOnce = rowsMax * width;
    for (int done = 0; done < count; done += atOnce) {
      final int now = Math.min(atOnce, count - done);
      stream.copyToHost(
          memory.asSlice(0, (long) now * Float.BYTES), from + (long) done * Float.BYTES);
      stream.synchronize();
      MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, 0, values, done, now);
    }
    return values;
  }
}
