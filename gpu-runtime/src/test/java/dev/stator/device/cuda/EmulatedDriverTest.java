package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What {@link EmulatedDriver} must notice, so that other tests can trust it. */
class EmulatedDriverTest {
  private static final int COUNT = 40;
  private static final long BYTES = 4L * COUNT;
  private static final long MEMORY_BYTES = 4096;
  private static Path library;

  private final Arena arena = Arena.ofConfined();
  private final EmulatedDriver driver = new EmulatedDriver(library, MEMORY_BYTES);
  private final Driver.Stream stream = driver.newStream();

  @BeforeAll
  static void compile(@TempDir Path folder) throws IOException, InterruptedException {
    library = SmallKernels.compile(folder);
  }

  @AfterEach
  void close() {
    driver.close();
    arena.close();
  }

  @Test
  void shouldComputeOnlyWhenWaitedFor() {
    final long from = driver.allocate(BYTES);
    final long to = driver.allocate(BYTES);
    final MemorySegment host = counting();
    final MemorySegment result = arena.allocate(BYTES);
    stream.copyToDevice(from, host);
    scaleAdd(stream, from, to, 2, 1);
    stream.copyToHost(result, to);
    assertEquals(0, result.get(ValueLayout.JAVA_FLOAT, 4), "not waited for");
    host.set(ValueLayout.JAVA_FLOAT, 0, 7);
    stream.synchronize();
    assertEquals(15, result.get(ValueLayout.JAVA_FLOAT, 0), "read when the copy ran");
    assertEquals(2 * 39 + 1, result.get(ValueLayout.JAVA_FLOAT, 4 * 39));
  }

  @Test
  void shouldRunAnotherStreamUpToTheAwaitedEventOnly() {
    final long memory = driver.allocate(2);
    final Driver.Stream other = driver.newStream();
    final Driver.Event event = other.newEvent();
    stream.await(event); // Never recorded: no wait.
    other.fill(memory, (byte) 1, 2);
    other.record(event);
    other.fill(memory, (byte) 2, 1);
    assertEquals("-1 -1", bytes(memory, 2), "without waiting");
    stream.await(event);
    other.record(event); // A later mark, not the one awaited.
    assertEquals("1 1", bytes(memory, 2), "what was marked");
    other.synchronize();
    assertEquals("2 1", bytes(memory, 2), "all");
  }

  @Test
  void shouldReplayAGraphWithTheMemoryOfTheMoment() {
    final long from = driver.allocate(BYTES);
    final long to = driver.allocate(BYTES);
    final MemorySegment host = driver.allocateHost(BYTES);
    final Driver.Graph graph =
        stream.capture(() -> {
          stream.copyToDevice(from, host);
          scaleAdd(stream, from, to, 3, 0);
          stream.copyToHost(host, to);
        });
    host.copyFrom(counting());
    stream.synchronize();
    assertEquals(2, host.get(ValueLayout.JAVA_FLOAT, 8), "captured, not done");
    stream.launch(graph);
    stream.launch(graph);
    stream.synchronize();
    assertEquals(2 * 9, host.get(ValueLayout.JAVA_FLOAT, 8));
    graph.close();
    refused("launch: the graph is closed", () -> stream.launch(graph));
  }

  @Test
  void shouldRefuseWhatAGraphCannotHold() {
    final MemorySegment pageable = arena.allocate(4);
    final long memory = driver.allocate(4);
    final Driver.Event event = stream.newEvent();
    stream.record(event);
    captureRefused(
        "copies in a graph need page-locked memory", () -> stream.copyToDevice(memory, pageable));
    captureRefused("allocate: not while a graph is captured", () -> driver.allocate(1));
    captureRefused("synchronize: the stream is being captured", stream::synchronize);
    captureRefused(
        "await: an event outside the graph that is captured, or inside it",
        () -> stream.await(event));
    stream.capture(() -> stream.record(event)).close();
    refused(
        "await: an event outside the graph that is captured, or inside it",
        () -> stream.await(event));
  }

  @Test
  void shouldRefuseCopiesOutsideDeviceMemory() {
    final long memory = driver.allocate(32);
    final String at = EmulatedMemory.hex(memory + 8);
    final MemorySegment host = arena.allocate(32);
    stream.copyToDevice(memory + 8, host.asSlice(0, 24));
    stream.synchronize();
    failed(
        "copyToDevice, 32 bytes at " + at + ": beyond its memory, which ends 24 bytes on",
        () -> stream.copyToDevice(memory + 8, host));
    failed("copyToHost, 32 bytes at 0x20: no device memory", () -> stream.copyToHost(host, 32));
    driver.free(memory);
    failed(
        "copyToHost, 1 bytes at " + at + ": freed",
        () -> stream.copyToHost(host.asSlice(0, 1), memory + 8));
    refused(
        "copies need memory off the Java heap",
        () -> stream.copyToDevice(memory, MemorySegment.ofArray(new byte[4])));
  }

  @Test
  void shouldNoticeWhenAKernelWritesBeyondItsMemory() {
    final long memory = driver.allocate(30);
    final Driver.Kernel kernel = driver.kernel("write_ones");
    stream.launch(kernel, 1, 1, 1, 0, SmallKernels.writeOnes(arena, memory, 30));
    stream.synchronize();
    failed(
        "write_ones wrote after device memory of 30 bytes",
        () -> stream.launch(kernel, 1, 1, 1, 0, SmallKernels.writeOnes(arena, memory, 31)));
    failed(
        "write_ones wrote before device memory of 30 bytes",
        () -> stream.launch(kernel, 1, 1, 1, 0, SmallKernels.writeOnes(arena, memory - 1, 1)));
  }

  @Test
  void shouldRefuseFreedMemoryInParams() {
    final long memory = driver.allocate(30);
    final Driver.Kernel kernel = driver.kernel("write_ones");
    stream.launch(kernel, 1, 1, 1, 0, SmallKernels.writeOnes(arena, memory, 30));
    driver.free(memory);
    failed("write_ones was given freed memory, at byte 0 of params", () -> {});
    refused("free " + EmulatedMemory.hex(memory) + ": freed before", () -> driver.free(memory));
  }

  @Test
  void shouldPassOnWhatAKernelDidWrong() {
    failed(
        "fail: block 0, thread 3 is missing at a barrier",
        () -> stream.launch(driver.kernel("fail"), 1, 1, 1, 0, arena.allocate(8)));
    refused("the module has no kernel none", () -> driver.kernel("none"));
    refused(
        "launch fail: grid 1 x 65536 of 32 threads",
        () -> stream.launch(driver.kernel("fail"), 1, 65_536, 32, 0, arena.allocate(8)));
    refused(
        "launch fail: 200000 bytes of shared memory",
        () -> stream.launch(driver.kernel("fail"), 1, 1, 32, 200_000, arena.allocate(8)));
  }

  @Test
  void shouldSayHowMuchMemoryIsLeft() {
    final long memory = driver.allocate(1000);
    assertEquals(MEMORY_BYTES - 1000, driver.freeBytes());
    assertEquals(0, memory % 256);
    final var e = assertThrows(OutOfMemoryError.class, () -> driver.allocate(MEMORY_BYTES));
    assertEquals("4096 bytes of device memory, of which 3096 are free", e.getMessage());
    driver.free(memory);
    assertEquals(MEMORY_BYTES, driver.freeBytes());
    final MemorySegment host = driver.allocateHost(8);
    driver.freeHost(host);
    assertThrows(IllegalStateException.class, () -> host.get(ValueLayout.JAVA_BYTE, 0));
  }

  /** The same program under many schedules: synchronised rightly, its result is one. */
  @Test
  void shouldGiveOneResultUnderEverySchedule() {
    for (int seed = 0; seed < 20; seed++) {
      try (var any = new EmulatedDriver(library, MEMORY_BYTES, new Random(seed))) {
        final Driver.Stream first = any.newStream();
        final Driver.Stream second = any.newStream();
        final Driver.Event event = first.newEvent();
        final long from = any.allocate(BYTES);
        final MemorySegment result = arena.allocate(BYTES);
        first.copyToDevice(from, counting());
        for (int i = 0; i < 5; i++) {
          final Driver.Stream on = i % 2 == 0 ? first : second;
          on.await(event);
          on.launch(any.kernel("scale_add"), 1, 1, COUNT, 0, params(from, from, 2, 1));
          on.record(event);
        }
        first.copyToHost(result, from);
        first.synchronize();
        assertArrayEquals(
            new float[] {31, 63, 95},
            result.asSlice(0, 12).toArray(ValueLayout.JAVA_FLOAT),
            "seed " + seed);
      }
    }
  }

  private void scaleAdd(Driver.Stream on, long from, long to, float scale, float offset) {
    on.launch(driver.kernel("scale_add"), 2, 1, 20, 0, params(from, to, scale, offset));
  }

  private MemorySegment params(long from, long to, float scale, float offset) {
    return SmallKernels.scaleAdd(arena, from, to, COUNT, scale, offset);
  }

  private MemorySegment counting() {
    final MemorySegment host = arena.allocate(BYTES, 4);
    for (int i = 0; i < COUNT; i++) host.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
    return host;
  }

  /** Read by {@link #stream}. */
  private String bytes(long memory, int count) {
    final MemorySegment host = arena.allocate(count);
    stream.copyToHost(host, memory);
    stream.synchronize();
    final StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) text.append(' ').append(host.get(ValueLayout.JAVA_BYTE, i));
    return text.substring(1);
  }

  private void captureRefused(String message, Runnable work) {
    refused(message, () -> stream.capture(work));
  }

  private static void refused(String message, Executable call) {
    assertEquals(message, assertThrows(CudaException.class, call).getMessage());
  }

  private void failed(String message, Runnable call) {
    call.run();
    refused(message, stream::synchronize);
  }
}
