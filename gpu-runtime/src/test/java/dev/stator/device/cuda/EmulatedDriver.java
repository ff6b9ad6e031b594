package dev.stator.device.cuda;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A CUDA device made of host memory and the kernels' host build.
 *
 * <p>Streams work as late as they may: when they, or an event of theirs that another stream awaits,
 * are waited for; or, with a schedule, at random moments before. So a result that is read, or a
 * source that is written, without waiting shows. Memory is watched, see {@link EmulatedMemory}.
 */
final class EmulatedDriver implements Driver {
  private static final int SHARED_BYTES_MAX = 163 << 10; // As compute capability 8.0.
  private static final int THREADS_MAX = 1024;
  private static final int GRID_Y_MAX = 65_535;

  private final EmulatedKernels kernels;
  private final EmulatedMemory memory;
  private final RandomGenerator schedule;
  private final List<EmulatedStream> streams = new ArrayList<>();
  private final Attachment attachment = new Attachment();
  private final List<EmulatedDriver> companions = new ArrayList<>();
  private final boolean isCompanion;
  private boolean isCapturing;
  private boolean isClosed;

  /**
   * @param library the kernels' host build
   */
  EmulatedDriver(Path library, long memoryBytes) {
    this(library, memoryBytes, null);
  }

  /**
   * @param schedule of streams that work at random moments; {@code null}: as late as they may
   */
  EmulatedDriver(Path library, long memoryBytes, RandomGenerator schedule) {
    kernels = new EmulatedKernels(library);
    memory = new EmulatedMemory(memoryBytes, kernels::allow);
    this.schedule = schedule;
    isCompanion = false;
    attachment.take();
  }

  private EmulatedDriver(EmulatedDriver main) {
    kernels = main.kernels;
    memory = main.memory;
    schedule = null; // It is the main one's thread's.
    isCompanion = true;
  }

  @Override
  public String title() {
    return "emulated, compute capability 8.0";
  }

  @Override
  public int computeCapability() {
    return 80;
  }

  @Override
  public int multiprocessorCount() {
    return 4;
  }

  @Override
  public int sharedBytesMax() {
    return SHARED_BYTES_MAX;
  }

  @Override
  public long freeBytes() {
    check();
    return memory.freeBytes();
  }

  @Override
  public long allocate(long bytes) {
    checkNotCapturing("allocate");
    return memory.allocate(bytes);
  }

  @Override
  public void free(long address) {
    checkNotCapturing("free");
    memory.free(address);
  }

  @Override
  public MemorySegment allocateHost(long bytes) {
    checkNotCapturing("allocateHost");
    return memory.allocateHost(bytes);
  }

  @Override
  public void freeHost(MemorySegment segment) {
    checkNotCapturing("freeHost");
    memory.freeHost(segment);
  }

  @Override
  public Stream newStream() {
    checkNotCapturing("newStream");
    final EmulatedStream stream = new EmulatedStream(this);
    streams.add(stream);
    return stream;
  }

  @Override
  public Kernel kernel(String name) {
    check();
    return kernels.kernel(name);
  }

  @Override
  public void attach() {
    attachment.take();
  }

  @Override
  public Driver companion() {
    checkNotCapturing("companion");
    final EmulatedDriver companion = new EmulatedDriver(this);
    companions.add(companion);
    return companion;
  }

  @Override
  public void close() {
    if (isClosed) return;
    isClosed = true;
    companions.forEach(EmulatedDriver::close);
    attachment.take();
    try {
      List.copyOf(streams).forEach(EmulatedStream::close);
    } finally {
      attachment.end();
      if (!isCompanion) {
        memory.close();
        kernels.close();
      }
    }
  }

  EmulatedMemory memory() {
    return memory;
  }

  EmulatedKernels kernels() {
    return kernels;
  }

  void check() {
    attachment.check();
  }

  void checkLaunch(String kernel, int gridX, int gridY, int threads, int sharedBytes) {
    final boolean isGrid = gridX > 0 && gridY > 0 && gridY <= GRID_Y_MAX;
    if (!isGrid || threads <= 0 || threads > THREADS_MAX) {
      throw new CudaException(
          "launch " + kernel + ": grid " + gridX + " x " + gridY + " of " + threads + " threads");
    }
    if (sharedBytes < 0 || sharedBytes > SHARED_BYTES_MAX) {
      throw new CudaException("launch " + kernel + ": " + sharedBytes + " bytes of shared memory");
    }
  }

  void beginCapture() {
    checkNotCapturing("capture");
    isCapturing = true;
  }

  void endCapture() {
    isCapturing = false;
  }

  void forget(EmulatedStream stream) {
    streams.remove(stream);
  }

  void mayRunSome() {
    if (schedule == null) return;
    while (schedule.nextInt(3) != 0) streams.get(schedule.nextInt(streams.size())).runOne();
  }

  private void checkNotCapturing(String call) {
    check();
    if (isCapturing) throw new CudaException(call + ": not while a graph is captured");
  }
}
