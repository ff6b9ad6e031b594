package dev.stator.device.cuda;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES;

import dev.stator.device.cuda.Addresses.HostAddress;
import dev.stator.device.cuda.Addresses.NewDeviceAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** A real GPU, in the context that all users of it in this process share. */
final class GpuDriver implements Driver {
  private final Attachment attachment = new Attachment();
  private final GpuProperties gpu;
  private final CUcontext context = new CUcontext();
  private final CUmodule module;
  private final Map<String, GpuKernel> kernels = new HashMap<>();
  private final Set<Long> deviceMemory = new HashSet<>();
  private final List<Long> opened = new ArrayList<>(); // Other processes', as often as it was.
  private final Map<Long, Locked> hostMemory = new HashMap<>();
  private final Set<GpuHandle> handles = new HashSet<>();
  private final Arena arena = Arena.ofShared();
  private final LaunchBlock launchBlock = new LaunchBlock(arena);
  private final List<GpuDriver> companions = new ArrayList<>();
  private boolean ownsModule;
  private boolean isClosed;

  record GpuKernel(String name, CUfunction function) implements Kernel {}

  /** Page-locked memory; who still holds it when it is freed gets an exception, not a crash. */
  private record Locked(MemorySegment memory, Arena arena) {}

  /** The calling thread is attached to it. */
  static GpuDriver open(int index) {
    final GpuDriver driver = new GpuDriver(GpuProperties.of(index), new CUmodule());
    try {
      driver.attach();
      driver.loadModule();
    } catch (CudaException e) {
      driver.close();
      throw e;
    }
    return driver;
  }

  private GpuDriver(GpuProperties gpu, CUmodule module) {
    this.gpu = gpu;
    this.module = module;
    Calls.check(
        "cuDevicePrimaryCtxRetain", JCudaDriver.cuDevicePrimaryCtxRetain(context, gpu.device()));
  }

  private void loadModule() {
    try (Arena arena = Arena.ofConfined()) {
      final Pointer image = Addresses.host(Fatbin.read(arena));
      Calls.check(
          "cuModuleLoadDataEx",
          JCudaDriver.cuModuleLoadDataEx(module, image, 0, new int[0], new Pointer()));
    }
    ownsModule = true;
  }

  @Override
  public String title() {
    return gpu.name() + ", compute capability " + CudaGpu.capability(gpu.computeCapability());
  }

  @Override
  public int computeCapability() {
    return gpu.computeCapability();
  }

  @Override
  public int multiprocessorCount() {
    return gpu.multiprocessorCount();
  }

  @Override
  public int sharedBytesMax() {
    return gpu.sharedBytesMax();
  }

  @Override
  public long totalBytes() {
    return memoryInfo()[1];
  }

  @Override
  public long freeBytes() {
    return memoryInfo()[0];
  }

  /** Free and all. */
  private long[] memoryInfo() {
    attachment.check();
    final long[] free = new long[1];
    final long[] all = new long[1];
    Calls.check("cuMemGetInfo", JCudaDriver.cuMemGetInfo(free, all));
    return new long[] {free[0], all[0]};
  }

  @Override
  public long allocate(long bytes) {
    attachment.check();
    final NewDeviceAddress memory = new NewDeviceAddress();
    final int code = JCudaDriver.cuMemAlloc(memory, bytes);
    if (code == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
      throw new OutOfMemoryError(
          bytes + " bytes of device memory, of which " + freeBytes() + " are free");
    }
    Calls.check("cuMemAlloc", code);
    deviceMemory.add(memory.value());
    return memory.value();
  }

  @Override
  public void free(long address) {
    attachment.check();
    if (!deviceMemory.remove(address)) {
      throw new CudaException("free 0x" + Long.toHexString(address) + ": not allocated here");
    }
    Calls.check("cuMemFree", JCudaDriver.cuMemFree(Addresses.device(address)));
  }

  @Override
  @SuppressWarnings("restricted")
  public MemorySegment allocateHost(long bytes) {
    attachment.check();
    final HostAddress memory = new HostAddress();
    final int code =
        JCudaDriver.cuMemHostAlloc(memory, bytes, JCudaDriver.CU_MEMHOSTALLOC_PORTABLE);
    if (code == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
      throw new OutOfMemoryError(bytes + " bytes of page-locked memory");
    }
    Calls.check("cuMemHostAlloc", code);
    final Arena own = Arena.ofShared();
    final MemorySegment segment =
        MemorySegment.ofAddress(memory.value()).reinterpret(bytes, own, null);
    hostMemory.put(memory.value(), new Locked(segment, own));
    return segment;
  }

  @Override
  public void freeHost(MemorySegment memory) {
    attachment.check();
    final Locked locked = hostMemory.remove(memory.address());
    if (locked == null) throw new CudaException("freeHost: not page-locked memory of this driver");
    final HostAddress address = Addresses.host(memory);
    locked.arena.close();
    Calls.check("cuMemFreeHost", JCudaDriver.cuMemFreeHost(address));
  }

  @Override
  public Stream newStream() {
    attachment.check();
    return new GpuStream(this);
  }

  @Override
  public Kernel kernel(String name) {
    attachment.check();
    return kernels.computeIfAbsent(name, this::newKernel);
  }

  /** It may ask for all the shared memory that it does not have from the start. */
  private GpuKernel newKernel(String name) {
    final CUfunction function = new CUfunction();
    Calls.check(
        "cuModuleGetFunction " + name, JCudaDriver.cuModuleGetFunction(function, module, name));
    final int[] fixed = new int[1];
    Calls.check(
        "cuFuncGetAttribute",
        JCudaDriver.cuFuncGetAttribute(fixed, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, function));
    Calls.check(
        "cuFuncSetAttribute",
        JCudaDriver.cuFuncSetAttribute(
            function,
            CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
            gpu.sharedBytesMax() - fixed[0]));
    return new GpuKernel(name, function);
  }

  @Override
  public void attach() {
    attachment.take();
    Calls.check("cuCtxSetCurrent", JCudaDriver.cuCtxSetCurrent(context));
  }

  @Override
  public Driver companion() {
    attachment.check();
    final GpuDriver companion = new GpuDriver(gpu, module);
    companions.add(companion);
    return companion;
  }

  @Override
  public boolean reach(Driver peer) {
    attachment.check();
    final GpuDriver other = (GpuDriver) peer;
    if (other.context.equals(context)) return true; // The same device.
    final int[] can = new int[1];
    Calls.check(
        "cuDeviceCanAccessPeer",
        JCudaDriver.cuDeviceCanAccessPeer(can, gpu.device(), other.gpu.device()));
    if (can[0] == 0) return false;
    final int code = JCudaDriver.cuCtxEnablePeerAccess(other.context, 0);
    if (code == CUresult.CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED) return true;
    if (code == CUresult.CUDA_ERROR_TOO_MANY_PEERS) return false;
    Calls.check("cuCtxEnablePeerAccess", code);
    return true;
  }

  @Override
  public Allocation allocationOf(long address) {
    attachment.check();
    return IpcCalls.addressRange(address);
  }

  @Override
  public byte[] ipcHandle(long address) {
    attachment.check();
    return IpcCalls.handle(IpcCalls.addressRange(address).start());
  }

  @Override
  public long ipcOpen(byte[] handle) {
    attachment.check();
    final long start = IpcCalls.open(handle);
    opened.add(start);
    return start;
  }

  @Override
  public void ipcClose(long start) {
    attachment.check();
    if (!opened.remove((Long) start)) {
      throw new CudaException("ipcClose 0x" + Long.toHexString(start) + ": not opened here");
    }
    IpcCalls.close(start);
  }

  CUcontext context() {
    return context;
  }

  void check() {
    attachment.check();
  }

  LaunchBlock launchBlock() {
    return launchBlock;
  }

  void own(GpuHandle handle) {
    handles.add(handle);
  }

  void disown(GpuHandle handle) {
    handles.remove(handle);
  }

  @Override
  public void close() {
    if (isClosed) return;
    isClosed = true;
    try {
      companions.forEach(GpuDriver::close);
      attach();
      freeAll();
    } finally {
      end();
    }
  }

  private void freeAll() {
    List.copyOf(handles).forEach(GpuHandle::close);
    List.copyOf(opened).forEach(this::ipcClose);
    List.copyOf(deviceMemory).forEach(this::free);
    for (Locked locked : List.copyOf(hostMemory.values())) freeHost(locked.memory);
    if (ownsModule) Calls.check("cuModuleUnload", JCudaDriver.cuModuleUnload(module));
  }

  private void end() {
    attachment.end();
    hostMemory.values().forEach(locked -> locked.arena.close());
    arena.close();
    Calls.check("cuCtxSetCurrent", JCudaDriver.cuCtxSetCurrent(new CUcontext()));
    Calls.check("cuDevicePrimaryCtxRelease", JCudaDriver.cuDevicePrimaryCtxRelease(gpu.device()));
  }
}
