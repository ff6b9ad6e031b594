package dev.stator.device.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;

/**
 * A CUDA device made of host memory and the kernels' host build.
 *
 * <p>Streams work as late as they may: when they, or an event of theirs that another stream awaits,
 * are waited for; or, with a schedule, at random moments before. So a result that is read, or a
 * source that is written, without waiting shows. Memory is watched, see {@link EmulatedMemory}.
 */
final class EmulatedDriver implements Driver {
  /** Which device this one takes after. */
  enum Kind {
    AMPERE(80, 163 << 10, 4),
    HOPPER(90, 227 << 10, 1),

    /** Its wgmma gives other bits than mma: the last one of the first output. */
    HOPPER_OF_OTHER_BITS(90, 227 << 10, 1);

    private final int computeCapability;
    private final int sharedBytesMax;
    private final int multiprocessorCount;

    Kind(int computeCapability, int sharedBytesMax, int multiprocessorCount) {
      this.computeCapability = computeCapability;
      this.sharedBytesMax = sharedBytesMax;
      this.multiprocessorCount = multiprocessorCount;
    }
  }

  private static final int THREADS_MAX = 1024;
  private static final int OUT_OFFSET = 24; // In MatmulParams.
  private static final int GRID_Y_MAX = 65_535;

  private final EmulatedKernels kernels;
  private final EmulatedMemory memory;
  private final RandomGenerator schedule;
  private final List<EmulatedStream> streams = new ArrayList<>();
  private final Attachment attachment = new Attachment();
  private final List<EmulatedDriver> companions = new ArrayList<>();
  private final Set<EmulatedMemory> peers = new HashSet<>();
  private final boolean isCompanion;
  private final Kind kind;
  private final Map<String, Integer> launches = new ConcurrentHashMap<>();
  private boolean isCapturing;
  private boolean isBroken;
  private boolean isClosed;

  /**
   * @param library the kernels' host build
   */
  EmulatedDriver(Path library, long memoryBytes) {
    this(library, memoryBytes, Kind.AMPERE);
  }

  EmulatedDriver(Path library, long memoryBytes, Kind kind) {
    this(library, memoryBytes, null, kind, false);
  }

  /**
   * @param schedule of streams that work at random moments; {@code null}: as late as they may
   */
  EmulatedDriver(Path library, long memoryBytes, RandomGenerator schedule) {
    this(library, memoryBytes, schedule, Kind.AMPERE, false);
  }

  /** One whose memory other processes can get at. */
  static EmulatedDriver shared(Path library, long memoryBytes) {
    return new EmulatedDriver(library, memoryBytes, null, Kind.AMPERE, true);
  }

  private EmulatedDriver(
      Path library, long memoryBytes, RandomGenerator schedule, Kind kind, boolean isShared) {
    this.kind = kind;
    kernels = new EmulatedKernels(library);
    memory = new EmulatedMemory(memoryBytes, kernels::allow, isShared);
    this.schedule = schedule;
    isCompanion = false;
    attachment.take();
  }

  private EmulatedDriver(EmulatedDriver main) {
    kernels = main.kernels;
    memory = main.memory;
    kind = main.kind;
    schedule = null; // It is the main one's thread's.
    isCompanion = true;
  }

  @Override
  public String title() {
    return "emulated, compute capability " + CudaGpu.capability(kind.computeCapability);
  }

  @Override
  public int computeCapability() {
    return kind.computeCapability;
  }

  @Override
  public int multiprocessorCount() {
    return kind.multiprocessorCount;
  }

  @Override
  public int sharedBytesMax() {
    return kind.sharedBytesMax;
  }

  @Override
  public long totalBytes() {
    check();
    return memory.totalBytes();
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

  @Override
  public boolean reach(Driver peer) {
    check();
    if (((EmulatedDriver) peer).memory == memory) return true;
    peers.add(((EmulatedDriver) peer).memory);
    return true;
  }

  @Override
  public Allocation allocationOf(long address) {
    check();
    return memory.allocationOf(address);
  }

  @Override
  public byte[] ipcHandle(long address) {
    check();
    return memory.ipcHandle(address);
  }

  @Override
  public long ipcOpen(byte[] handle) {
    checkNotCapturing("ipcOpen");
    return memory.ipcOpen(handle);
  }

  @Override
  public void ipcClose(long start) {
    checkNotCapturing("ipcClose");
    memory.ipcClose(start);
  }

  /** Kernels use this device's memory alone: another's is slow, at best. */
  void checkParams(String kernel, MemorySegment params) {
    memory.checkParams(kernel, params);
    for (EmulatedMemory peer : peers) peer.checkForeign(kernel, params);
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

  /** From now on launches fail, as on a GPU that is lost. */
  void breakDown() {
    isBroken = true;
  }

  void checkLaunch(String kernel, int gridX, int gridY, int threads, int sharedBytes) {
    if (isBroken) throw new CudaException("launch " + kernel + ": the GPU is lost");
    final boolean isGrid = gridX > 0 && gridY > 0 && gridY <= GRID_Y_MAX;
    if (!isGrid || threads <= 0 || threads > THREADS_MAX) {
      throw new CudaException(
          "launch " + kernel + ": grid " + gridX + " x " + gridY + " of " + threads + " threads");
    }
    if (sharedBytes < 0 || sharedBytes > kind.sharedBytesMax) {
      throw new CudaException("launch " + kernel + ": " + sharedBytes + " bytes of shared memory");
    }
  }

  /** A kernel has run. */
  void launched(String kernel, MemorySegment params) {
    launches.merge(kernel, 1, Integer::sum);
    if (kind != Kind.HOPPER_OF_OTHER_BITS || !kernel.endsWith("_wgmma")) return;
    final long out = params.get(ValueLayout.JAVA_LONG, OUT_OFFSET);
    final MemorySegment first = memory.at(out, Float.BYTES, kernel);
    first.set(ValueLayout.JAVA_INT, 0, first.get(ValueLayout.JAVA_INT, 0) ^ 1);
  }

  /** How often the kernel has run. */
  int launches(String kernel) {
    return launches.getOrDefault(kernel, 0);
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
