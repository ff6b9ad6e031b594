package dev.stator.device.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A stream that works as late as it may: when it is waited for. */
final class EmulatedStream implements Driver.Stream {
  private final EmulatedDriver driver;
  private final Deque<Runnable> pending = new ArrayDeque<>();
  private List<Runnable> captured; // While capturing; what is given goes here in place of pending.
  private boolean isClosed;

  /** A point of a stream that work has been, or will have been, done up to. */
  private static final class Mark {
    private final EmulatedStream stream;
    private final boolean isCaptured;
    private boolean isPassed;

    private Mark(EmulatedStream stream) {
      this.stream = stream;
      isCaptured = stream.captured != null;
    }
  }

  private static final class EmulatedEvent implements Driver.Event {
    private Mark last;
    private boolean isClosed;

    @Override
    public void synchronize() {
      final Mark mark = open(this).last;
      if (mark == null) return;
      mark.stream.check();
      if (mark.isCaptured) throw new CudaException("synchronize: the event is a graph's");
      mark.stream.runTo(mark);
    }

    @Override
    public void close() {
      isClosed = true;
    }

    private static EmulatedEvent open(Driver.Event event) {
      final EmulatedEvent emulated = (EmulatedEvent) event;
      if (emulated.isClosed) throw new CudaException("the event is closed");
      return emulated;
    }
  }

  private static final class EmulatedGraph implements Driver.Graph {
    private final EmulatedDriver driver;
    private final List<Runnable> work;
    private boolean isClosed;

    private EmulatedGraph(EmulatedDriver driver, List<Runnable> work) {
      this.driver = driver;
      this.work = List.copyOf(work);
    }

    @Override
    public void close() {
      isClosed = true;
    }
  }

  EmulatedStream(EmulatedDriver driver) {
    this.driver = driver;
  }

  @Override
  public void copyToDevice(long to, MemorySegment from) {
    requireNative(from);
    give(
        () -> driver.memory().at(to, from.byteSize(), "copyToDevice").copyFrom(requireAlive(from)));
  }

  @Override
  public void copyToHost(MemorySegment to, long from) {
    requireNative(to);
    give(() -> requireAlive(to).copyFrom(driver.memory().at(from, to.byteSize(), "copyToHost")));
  }

  @Override
  public void copy(long to, long from, long bytes) {
    give(() ->
        driver.memory().at(to, bytes, "copy to").copyFrom(driver.memory().at(from, bytes, "copy")));
  }

  @Override
  public void copyToPeer(Driver peer, long to, long from, long bytes) {
    final EmulatedMemory target = ((EmulatedDriver) peer).memory();
    give(() ->
        target
            .at(to, bytes, "copyToPeer to")
            .copyFrom(driver.memory().at(from, bytes, "copyToPeer")));
  }

  @Override
  public void copyRowsToHost(
      MemorySegment to, long toPitch, long from, long fromPitch, long width, int rows) {
    for (int i = 0; i < rows; i++) {
      copyToHost(to.asSlice(i * toPitch, width), from + i * fromPitch);
    }
  }

  @Override
  public void copyRowsToDevice(
      long to, long toPitch, MemorySegment from, long fromPitch, long width, int rows) {
    for (int i = 0; i < rows; i++) {
      copyToDevice(to + i * toPitch, from.asSlice(i * fromPitch, width));
    }
  }

  @Override
  public void fill(long to, byte value, long bytes) {
    give(() -> driver.memory().at(to, bytes, "fill").fill(value));
  }

  @Override
  public void launch(
      Driver.Kernel kernel,
      int gridX,
      int gridY,
      int threads,
      int sharedBytes,
      MemorySegment params) {
    final EmulatedKernels.Named named = (EmulatedKernels.Named) kernel;
    driver.checkLaunch(named.name(), gridX, gridY, threads, sharedBytes);
    final MemorySegment struct = Arena.ofAuto().allocate(params.byteSize(), Long.BYTES);
    struct.copyFrom(params);
    give(() -> {
      driver.checkParams(named.name(), struct);
      driver.kernels().launch(named, gridX, gridY, threads, sharedBytes, struct);
      driver.memory().checkGuards(named.name());
      driver.launched(named.name(), struct);
    });
  }

  @Override
  public void record(Driver.Event event) {
    final Mark mark = new Mark(this);
    EmulatedEvent.open(event).last = mark;
    give(() -> mark.isPassed = true);
  }

  @Override
  public void await(Driver.Event event) {
    final Mark mark = EmulatedEvent.open(event).last;
    if (mark == null) return;
    if (mark.isCaptured != (captured != null) || (mark.isCaptured && mark.stream != this)) {
      throw new CudaException("await: an event outside the graph that is captured, or inside it");
    }
    give(() -> mark.stream.runTo(mark));
  }

  @Override
  public Driver.Event newEvent() {
    driver.check();
    return new EmulatedEvent();
  }

  @Override
  public Driver.Graph capture(Runnable work) {
    check();
    driver.beginCapture();
    captured = new ArrayList<>();
    try {
      work.run();
      return new EmulatedGraph(driver, captured);
    } finally {
      captured = null;
      driver.endCapture();
    }
  }

  @Override
  public void launch(Driver.Graph graph) {
    final EmulatedGraph emulated = (EmulatedGraph) graph;
    if (emulated.isClosed) throw new CudaException("launch: the graph is closed");
    if (emulated.driver != driver) throw new CudaException("launch: another device's graph");
    give(() -> emulated.work.forEach(Runnable::run));
  }

  @Override
  public void synchronize() {
    check();
    if (captured != null) throw new CudaException("synchronize: the stream is being captured");
    while (runOne()) {}
  }

  @Override
  public void close() {
    if (isClosed) return;
    driver.check();
    try {
      synchronize();
    } finally {
      isClosed = true;
      driver.forget(this);
    }
  }

  /**
   * Does the work that has waited longest.
   *
   * @return whether there was any
   */
  boolean runOne() {
    final Runnable work = pending.poll();
    if (work == null) return false;
    try {
      work.run();
    } catch (CudaException | IllegalStateException e) {
      pending.clear();
      throw e;
    }
    return true;
  }

  private void runTo(Mark mark) {
    while (!mark.isPassed && runOne()) {}
  }

  private void give(Runnable work) {
    check();
    if (captured != null) {
      captured.add(work);
    } else {
      pending.add(work);
      driver.mayRunSome();
    }
  }

  private void check() {
    driver.check();
    if (isClosed) throw new CudaException("the stream is closed");
  }

  private void requireNative(MemorySegment memory) {
    if (!memory.isNative()) throw new CudaException("copies need memory off the Java heap");
    if (captured != null && !driver.memory().isLocked(memory)) {
      throw new CudaException("copies in a graph need page-locked memory");
    }
  }

  private static MemorySegment requireAlive(MemorySegment memory) {
    if (!memory.scope().isAlive()) throw new CudaException("a copy's host memory is freed");
    return memory;
  }
}
