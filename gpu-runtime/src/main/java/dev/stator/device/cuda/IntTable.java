package dev.stator.device.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Integers that the host writes and the device reads, step by step: some at fixed places, behind
 * them as many as are appended. Grows by doubling.
 *
 * <p><b>Threads:</b> the driver's. <b>Ownership:</b> of its memory, until {@link #close}.
 */
final class IntTable implements AutoCloseable {
  private final Driver driver;
  private final int fixed;
  private MemorySegment host;
  private long device;
  private int capacity;
  private int count; // Fixed and appended.
  private int generation;

  IntTable(Driver driver, int fixed, int appendedMin) {
    this.driver = driver;
    this.fixed = fixed;
    this.count = fixed;
    take(Math.addExact(fixed, appendedMin));
  }

  private void take(int newCapacity) {
    host = driver.allocateHost((long) newCapacity * Integer.BYTES);
    device = driver.allocate((long) newCapacity * Integer.BYTES);
    capacity = newCapacity;
  }

  /** Forgets what was appended. What was sent must have been copied. */
  void clear() {
    count = fixed;
  }

  void set(int index, int value) {
    host.setAtIndex(ValueLayout.JAVA_INT, index, value);
  }

  /** Returns its index among those appended. */
  int append(int value) {
    reserve(1);
    set(count, value);
    return count++ - fixed;
  }

  /** Appends the first {@code length} values; returns the first one's index. */
  int append(int[] values, int length) {
    reserve(length);
    MemorySegment.copy(values, 0, host, ValueLayout.JAVA_INT, (long) count * Integer.BYTES, length);
    count += length;
    return count - length - fixed;
  }

  private void reserve(int more) {
    if (count + more <= capacity) return;
    final MemorySegment oldHost = host;
    final long oldDevice = device;
    take(Math.max(Math.multiplyExact(capacity, 2), Math.addExact(count, more)));
    MemorySegment.copy(oldHost, 0, host, 0, (long) count * Integer.BYTES);
    driver.freeHost(oldHost);
    driver.free(oldDevice);
    generation++;
  }

  /** Copies all to the device. */
  void send(Driver.Stream stream) {
    stream.copyToDevice(device, host.asSlice(0, (long) count * Integer.BYTES));
  }

  /** Where the fixed integer of that index lies on the device. */
  long fixed(int index) {
    return device + (long) index * Integer.BYTES;
  }

  /** Where the first appended integer lies on the device. */
  long appended() {
    return fixed(fixed);
  }

  /** Counts how often all has moved. */
  int generation() {
    return generation;
  }

  @Override
  public void close() {
    driver.freeHost(host);
    driver.free(device);
  }
}
