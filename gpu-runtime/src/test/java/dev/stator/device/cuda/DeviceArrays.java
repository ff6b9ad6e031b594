package dev.stator.device.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.UnaryOperator;

/**
 * Arrays in a device's memory and one stream, for tests of kernels. Everything waits for its end.
 *
 * <p><b>Threads:</b> one. <b>Ownership:</b> the driver is closed with it.
 */
final class DeviceArrays implements AutoCloseable {
  private final Driver driver;
  private final Driver.Stream stream;

  DeviceArrays(Driver driver) {
    this.driver = driver;
    stream = driver.newStream();
  }

  Driver driver() {
    return driver;
  }

  /** Full of NaN, or of whatever a device leaves there after a fill with ones. */
  long room(long bytes) {
    final long address = driver.allocate(bytes);
    stream.fill(address, (byte) 0xFF, bytes);
    stream.synchronize();
    return address;
  }

  long floats(float... values) {
    return bytes(MemorySegment.ofArray(values));
  }

  long halves(short... values) {
    return bytes(MemorySegment.ofArray(values));
  }

  long ints(int... values) {
    return bytes(MemorySegment.ofArray(values));
  }

  long bytes(MemorySegment values) {
    final long address = driver.allocate(values.byteSize());
    try (Arena arena = Arena.ofConfined()) {
      final MemorySegment copy = arena.allocate(values.byteSize(), 8).copyFrom(values);
      stream.copyToDevice(address, copy);
      stream.synchronize();
    }
    return address;
  }

  float[] readFloats(long address, int count) {
    try (Arena arena = Arena.ofConfined()) {
      return read(arena, address, 4L * count).toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  short[] readHalves(long address, int count) {
    try (Arena arena = Arena.ofConfined()) {
      return read(arena, address, 2L * count).toArray(ValueLayout.JAVA_SHORT);
    }
  }

  int[] readInts(long address, int count) {
    try (Arena arena = Arena.ofConfined()) {
      return read(arena, address, 4L * count).toArray(ValueLayout.JAVA_INT);
    }
  }

  private MemorySegment read(Arena arena, long address, long bytes) {
    final MemorySegment to = arena.allocate(bytes, 8);
    stream.copyToHost(to, address);
    stream.synchronize();
    return to;
  }

  /**
   * @param params writes the kernel's struct
   */
  void launch(
      String kernel,
      int gridX,
      int gridY,
      int threads,
      int sharedBytes,
      UnaryOperator<KernelParams> params) {
    try (Arena arena = Arena.ofConfined()) {
      final MemorySegment struct = params.apply(new KernelParams(arena)).struct();
      stream.launch(driver.kernel(kernel), gridX, gridY, threads, sharedBytes, struct);
      stream.synchronize();
    }
  }

  @Override
  public void close() {
    driver.close();
  }
}
