package dev.stator.device.cuda;

import java.lang.foreign.MemorySegment;

/**
 * Page-locked host memory in two halves, through which bytes go to the device: one half is filled
 * while the other is copied.
 *
 * <p><b>Threads:</b> the driver's. <b>Ownership:</b> of its memory, until {@link #close}.
 */
final class Staging implements AutoCloseable {
  private final Driver driver;
  private final Driver.Stream stream;
  private final MemorySegment memory;
  private final Driver.Event[] copied = new Driver.Event[2];
  private final boolean[] used = new boolean[2];
  private int half;

  /**
   * @param stream does the copies
   */
  Staging(Driver driver, Driver.Stream stream, long bytes) {
    this.driver = driver;
    this.stream = stream;
    this.memory = driver.allocateHost(bytes / 2 * 2);
    for (int i = 0; i < 2; i++) copied[i] = stream.newEvent();
  }

  /** The most that {@link #next} holds, in bytes. */
  long capacity() {
    return memory.byteSize() / 2;
  }

  /** Where the next bytes are to be written; waits until what it held is copied. */
  MemorySegment next() {
    if (used[half]) copied[half].synchronize();
    return memory.asSlice(half * capacity(), capacity());
  }

  /** Copies the first bytes of {@link #next} to the device. */
  void send(long to, long bytes) {
    stream.copyToDevice(to, memory.asSlice(half * capacity(), bytes));
    stream.record(copied[half]);
    used[half] = true;
    half = 1 - half;
  }

  @Override
  public void close() {
    stream.synchronize();
    for (Driver.Event event : copied) event.close();
    driver.freeHost(memory);
  }
}
