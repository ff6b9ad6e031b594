package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link Driver} does: the emulated one, a GPU's, and JCuda's without a GPU. */
class DriverTest {
  private static final int COUNT = 600; // More than two blocks of threads.
  private static final int THREADS = 256;
  private static final long BYTES = 4L * COUNT;

  private final Arena arena = Arena.ofShared();
  private Driver driver;
  private Driver.Stream stream;
  private MemorySegment host;

  /** Whose driver is tested. */
  Driver open() {
    return CudaTests.openShared();
  }

  /** Of another device, if there is one. */
  Driver openPeer() {
    return CudaTests.isDevice() ? Cuda.open(Cuda.find().gpus().size() - 1) : open();
  }

  @BeforeEach
  void start() {
    driver = open();
    stream = driver.newStream();
    host = driver.allocateHost(BYTES);
  }

  @AfterEach
  void end() {
    driver.close();
    arena.close();
  }

  @Test
  void shouldSayWhatItIs() {
    final int capability = driver.computeCapability();
    assertTrue(capability >= 80, "compute capability " + capability);
    final String end = ", compute capability " + capability / 10 + "." + capability % 10;
    assertTrue(driver.title().endsWith(end), driver.title());
    assertTrue(driver.multiprocessorCount() > 0);
    assertTrue(driver.sharedBytesMax() >= 48 << 10, driver.sharedBytesMax() + " shared bytes");
  }

  @Test
  void shouldCopyToTheDeviceWithinItAndBack() {
    final long first = driver.allocate(BYTES);
    final long second = driver.allocate(BYTES + 4);
    assertEquals(0, first % 256);
    assertEquals(0, second % 256);
    setAll(host, 3);
    stream.copyToDevice(first, host);
    stream.fill(second, (byte) 0, BYTES + 4);
    stream.copy(second + 8, first + 4, BYTES - 4);
    final MemorySegment back = arena.allocate(BYTES + 4, 4); // Pageable memory serves, too.
    stream.copyToHost(back, second);
    stream.synchronize();
    assertEquals(0, back.getAtIndex(ValueLayout.JAVA_FLOAT, 1));
    assertEquals(4, back.getAtIndex(ValueLayout.JAVA_FLOAT, 2));
    assertEquals(COUNT + 2, back.getAtIndex(ValueLayout.JAVA_FLOAT, COUNT));
    driver.free(first);
    driver.free(second);
  }

  @Test
  void shouldCopyToAnotherDeviceInTheOrderOfBothStreams() {
    final long sum = zeros();
    final long one = ones();
    try (Driver peer = openPeer()) {
      final long there = peer.allocate(BYTES);
      final Driver.Stream other = peer.newStream();
      final Driver.Event arrived = other.newEvent();
      peer.reach(driver);
      driver.attach();
      driver.reach(peer);
      driver.reach(peer);
      final Driver.Event sent = stream.newEvent();
      add(stream, sum, one);
      stream.copyToPeer(peer, there, sum, BYTES);
      stream.record(sent);
      peer.attach();
      other.await(sent);
      other.copyToPeer(driver, one, there, BYTES - 4);
      other.record(arrived);
      driver.attach();
      stream.await(arrived);
      add(stream, sum, one);
      add(stream, sum, one);
      assertEquals("3.0 3.0", at(sum, 0, COUNT - 1));
      peer.attach();
      final MemorySegment back = peer.allocateHost(BYTES);
      other.copyToHost(back, there);
      other.synchronize();
      assertEquals(1, back.getAtIndex(ValueLayout.JAVA_FLOAT, COUNT - 1));
    }
    driver.attach();
  }

  @Test
  void shouldNameAnAllocationToOtherProcessesAlone() {
    final long memory = driver.allocate(BYTES);
    final Driver.Allocation all = driver.allocationOf(memory + BYTES - 4);
    assertTrue(all.start() <= memory && all.start() + all.bytes() >= memory + BYTES, "" + all);
    final byte[] handle = driver.ipcHandle(memory);
    assertEquals(Driver.IPC_HANDLE_BYTES, handle.length);
    assertThrows(CudaException.class, () -> driver.ipcOpen(handle));
    final byte[] forged = new byte[Driver.IPC_HANDLE_BYTES];
    assertThrows(CudaException.class, () -> driver.ipcOpen(forged));
    assertThrows(CudaException.class, () -> driver.ipcOpen(new byte[1]));
    assertThrows(CudaException.class, () -> driver.ipcClose(memory));
    driver.free(memory);
    assertThrows(CudaException.class, () -> driver.allocationOf(memory));
  }

  /** Rows of 2 of 5 values on the host, of 2 of 3 on the device. */
  @Test
  void shouldCopyRowsThatLieApart() {
    setAll(host, 0);
    final long memory = zeros();
    stream.copyRowsToDevice(memory + 4, 12, host.asSlice(8), 20, 8, 4);
    final MemorySegment back = driver.allocateHost(BYTES).fill((byte) 0);
    stream.copyRowsToHost(back.asSlice(4), 16, memory + 4, 12, 8, 4);
    assertEquals("0.0 2.0 3.0 0.0 7.0 8.0", at(memory, 0, 1, 2, 3, 4, 5));
    assertEquals(8, back.getAtIndex(ValueLayout.JAVA_FLOAT, 6));
    assertEquals(0, back.getAtIndex(ValueLayout.JAVA_FLOAT, 7));
    assertEquals(18, back.getAtIndex(ValueLayout.JAVA_FLOAT, 14));
  }

  @Test
  void shouldReadParamsBeforeALaunchReturns() {
    final long sum = zeros();
    final long one = ones();
    final KernelParams params = new KernelParams(arena);
    final Driver.Kernel add = driver.kernel("add_f32");
    assertEquals("add_f32", add.name());
    for (int count = COUNT; count > 0; count -= 200) {
      params.reset().address(sum).address(one).int32(count);
      stream.launch(add, blocks(), 1, THREADS, driver.sharedBytesMax() - 1024, params.struct());
    }
    params.reset().address(0).address(0).int32(COUNT).struct();
    assertEquals("3.0 3.0 2.0 2.0 1.0 1.0", at(sum, 0, 199, 200, 399, 400, 599));
  }

  @Test
  void shouldReplayAGraphWithWhatHostMemoryHoldsThen() {
    final long sum = zeros();
    final long from = driver.allocate(BYTES);
    final MemorySegment result = driver.allocateHost(BYTES);
    final Driver.Graph graph =
        stream.capture(() -> {
          stream.copyToDevice(from, host);
          add(stream, sum, from);
          stream.copyToHost(result, sum);
        });
    stream.synchronize();
    for (int base : new int[] {1, 10}) {
      setAll(host, base);
      stream.launch(graph);
      stream.launch(graph);
      stream.synchronize();
    }
    assertEquals(2 * (1 + 10) + 4 * 5, result.getAtIndex(ValueLayout.JAVA_FLOAT, 5));
    graph.close();
    driver.freeHost(result);
    assertThrows(CudaException.class, () -> stream.launch(graph));
  }

  @Test
  void shouldGoOnWhenCapturedWorkThrows() {
    final long sum = zeros();
    final long one = ones();
    final var thrown = new IllegalStateException("planned");
    final Runnable work =
        () -> {
          add(stream, sum, one);
          throw thrown;
        };
    assertEquals(thrown, assertThrows(IllegalStateException.class, () -> stream.capture(work)));
    add(stream, sum, one);
    assertEquals("1.0", at(sum, 0));
  }

  @Test
  void shouldWaitForAnotherStreamsEvent() {
    final long sum = zeros();
    final long one = ones();
    try (Driver.Stream other = driver.newStream();
        Driver.Event event = other.newEvent()) {
      stream.synchronize();
      for (int i = 0; i < 6; i++) {
        final Driver.Stream on = i % 2 == 0 ? other : stream;
        on.await(event);
        add(on, sum, one);
        on.record(event);
      }
      assertEquals("6.0 6.0", at(sum, 0, COUNT - 1));
    }
  }

  @Test
  void shouldWaitForAnEventAlone() {
    final long sum = zeros();
    final long one = ones();
    try (Driver.Event event = stream.newEvent()) {
      event.synchronize(); // Not marked: no wait.
      add(stream, sum, one);
      stream.copyToHost(host, sum);
      stream.record(event);
      add(stream, sum, one);
      event.synchronize();
      assertEquals(1, host.getAtIndex(ValueLayout.JAVA_FLOAT, COUNT - 1));
    }
    assertEquals("2.0", at(sum, 0));
  }

  @Test
  void shouldRefuseWhatItDoesNotHave() {
    assertThrows(CudaException.class, () -> driver.kernel("none"));
    final long much = driver.freeBytes() + (1L << 40);
    final var e = assertThrows(OutOfMemoryError.class, () -> driver.allocate(much));
    assertTrue(e.getMessage().startsWith(much + " bytes of device memory, of which "));
    final long memory = driver.allocate(1);
    driver.free(memory);
    assertThrows(CudaException.class, () -> driver.free(memory));
    assertThrows(CudaException.class, () -> driver.freeHost(arena.allocate(4)));
    assertThrows(
        CudaException.class, () -> stream.copyToDevice(memory, MemorySegment.ofArray(new byte[1])));
    final Driver.Stream closed = driver.newStream();
    closed.close();
    assertThrows(CudaException.class, closed::synchronize);
  }

  @Test
  void shouldServeOneThreadAtATime() throws InterruptedException {
    final long sum = zeros();
    final long one = ones();
    final List<Throwable> wrong = new ArrayList<>();
    final Thread thread =
        Thread.ofPlatform()
            .name("second")
            .uncaughtExceptionHandler((t, e) -> wrong.add(e))
            .start(() -> {
              final var e = assertThrows(CudaException.class, stream::synchronize);
              assertEquals("thread second is not attached to this driver", e.getMessage());
              driver.attach();
              add(stream, sum, one);
              stream.synchronize();
            });
    thread.join();
    assertEquals(List.of(), wrong);
    assertThrows(CudaException.class, () -> driver.allocate(1));
    driver.attach();
    assertEquals("1.0", at(sum, 0));
  }

  @Test
  void shouldServeAThreadThatUsesTwoDriversInTurn() {
    final long sum = zeros();
    try (Driver second = open()) {
      second.free(second.allocate(4));
      assertThrows(CudaException.class, () -> stream.synchronize());
      driver.attach();
      assertEquals("0.0", at(sum, 0));
    }
    assertThrows(CudaException.class, () -> stream.synchronize());
    driver.attach();
    assertEquals("0.0", at(sum, 0));
  }

  @Test
  void shouldServeAnotherThreadBesideItsOwnByACompanion() throws InterruptedException {
    final long sum = zeros();
    final long one = ones();
    stream.synchronize();
    final Driver companion = driver.companion();
    final MemorySegment back = driver.allocateHost(BYTES);
    final List<Throwable> wrong = new ArrayList<>();
    final Thread thread =
        Thread.ofPlatform()
            .name("second")
            .uncaughtExceptionHandler((t, e) -> wrong.add(e))
            .start(() -> {
              companion.attach();
              final Driver.Stream own = companion.newStream();
              for (int i = 0; i < 50; i++) own.copyToHost(back, one);
              own.synchronize();
              assertThrows(CudaException.class, stream::synchronize);
            });
    for (int i = 0; i < 50; i++) add(stream, sum, one);
    assertEquals("50.0", at(sum, 0));
    thread.join();
    assertEquals(List.of(), wrong);
    assertEquals(1, back.getAtIndex(ValueLayout.JAVA_FLOAT, COUNT - 1));
    driver.close();
    assertThrows(CudaException.class, companion::attach);
  }

  @Test
  void shouldTakeBackAllThatItGaveWhenClosed() {
    final Driver.Event event = stream.newEvent();
    final long memory = zeros();
    final Driver.Graph graph = stream.capture(() -> stream.copyToHost(host, memory));
    driver.close();
    driver.close();
    event.close();
    graph.close();
    stream.close();
    assertThrows(IllegalStateException.class, () -> host.get(ValueLayout.JAVA_BYTE, 0));
    assertEquals(
        "the driver is closed", assertThrows(CudaException.class, driver::freeBytes).getMessage());
    assertThrows(CudaException.class, driver::attach);
  }

  private long zeros() {
    final long memory = driver.allocate(BYTES);
    stream.fill(memory, (byte) 0, BYTES);
    return memory;
  }

  private long ones() {
    final long memory = driver.allocate(BYTES);
    final MemorySegment values = driver.allocateHost(BYTES);
    for (int i = 0; i < COUNT; i++) values.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
    stream.copyToDevice(memory, values);
    return memory;
  }

  private void add(Driver.Stream on, long to, long from) {
    final MemorySegment params =
        new KernelParams(arena).address(to).address(from).int32(COUNT).struct();
    on.launch(driver.kernel("add_f32"), blocks(), 1, THREADS, 0, params);
  }

  private static int blocks() {
    return (COUNT + THREADS - 1) / THREADS;
  }

  private static void setAll(MemorySegment values, int base) {
    for (int i = 0; i < COUNT; i++) values.setAtIndex(ValueLayout.JAVA_FLOAT, i, base + i);
  }

  private String at(long memory, int... indices) {
    stream.copyToHost(host, memory);
    stream.synchronize();
    final List<String> values = new ArrayList<>();
    for (int i : indices) values.add(String.valueOf(host.getAtIndex(ValueLayout.JAVA_FLOAT, i)));
    return String.join(" ", values);
  }
}
