package dev.stator.device.cuda;

import dev.stator.device.cuda.GpuDriver.GpuKernel;
import java.lang.foreign.MemorySegment;
import jcuda.driver.CUDA_MEMCPY2D;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmemorytype;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/** A stream of a real GPU; it does not wait for the context's default stream, nor that for it. */
final class GpuStream extends GpuHandle implements Driver.Stream {
  private final CUstream stream = new CUstream();

  private static final class GpuEvent extends GpuHandle implements Driver.Event {
    private final CUevent event = new CUevent();

    private GpuEvent(GpuDriver driver) {
      super(driver);
      Calls.check(
          "cuEventCreate", JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING));
      made();
    }

    @Override
    public void synchronize() {
      check();
      Calls.check("cuEventSynchronize", JCudaDriver.cuEventSynchronize(event));
    }

    @Override
    void release() {
      Calls.check("cuEventDestroy", JCudaDriver.cuEventDestroy(event));
    }
  }

  private static final class GpuGraph extends GpuHandle implements Driver.Graph {
    private final CUgraphExec executable = new CUgraphExec();

    private GpuGraph(GpuDriver driver, CUgraph graph) {
      super(driver);
      Calls.check("cuGraphInstantiate", JCudaDriver.cuGraphInstantiate(executable, graph, 0));
      made();
    }

    @Override
    void release() {
      Calls.check("cuGraphExecDestroy", JCudaDriver.cuGraphExecDestroy(executable));
    }
  }

  GpuStream(GpuDriver driver) {
    super(driver);
    Calls.check(
        "cuStreamCreate",
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    made();
  }

  @Override
  public void copyToDevice(long to, MemorySegment from) {
    check();
    Calls.check(
        "cuMemcpyHtoDAsync",
        JCudaDriver.cuMemcpyHtoDAsync(
            Addresses.device(to), Addresses.host(from), from.byteSize(), stream));
  }

  @Override
  public void copyToHost(MemorySegment to, long from) {
    check();
    Calls.check(
        "cuMemcpyDtoHAsync",
        JCudaDriver.cuMemcpyDtoHAsync(
            Addresses.host(to), Addresses.device(from), to.byteSize(), stream));
  }

  @Override
  public void copy(long to, long from, long bytes) {
    check();
    Calls.check(
        "cuMemcpyDtoDAsync",
        JCudaDriver.cuMemcpyDtoDAsync(Addresses.device(to), Addresses.device(from), bytes, stream));
  }

  @Override
  public void copyToPeer(Driver peer, long to, long from, long bytes) {
    if (((GpuDriver) peer).context().equals(driver.context())) { // The same device.
      copy(to, from, bytes);
      return;
    }
    check();
    Calls.check(
        "cuMemcpyPeerAsync",
        JCudaDriver.cuMemcpyPeerAsync(
            Addresses.device(to),
            ((GpuDriver) peer).context(),
            Addresses.device(from),
            driver.context(),
            bytes,
            stream));
  }

  @Override
  public void copyRowsToHost(
      MemorySegment to, long toPitch, long from, long fromPitch, long width, int rows) {
    final CUDA_MEMCPY2D copy = rows(width, rows);
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.srcDevice = Addresses.device(from);
    copy.srcPitch = fromPitch;
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.dstHost = Addresses.host(to);
    copy.dstPitch = toPitch;
    Calls.check("cuMemcpy2DAsync", JCudaDriver.cuMemcpy2DAsync(copy, stream));
  }

  @Override
  public void copyRowsToDevice(
      long to, long toPitch, MemorySegment from, long fromPitch, long width, int rows) {
    final CUDA_MEMCPY2D copy = rows(width, rows);
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.srcHost = Addresses.host(from);
    copy.srcPitch = fromPitch;
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = Addresses.device(to);
    copy.dstPitch = toPitch;
    Calls.check("cuMemcpy2DAsync", JCudaDriver.cuMemcpy2DAsync(copy, stream));
  }

  private CUDA_MEMCPY2D rows(long width, int rows) {
    check();
    final CUDA_MEMCPY2D copy = new CUDA_MEMCPY2D();
    copy.WidthInBytes = width;
    copy.Height = rows;
    return copy;
  }

  @Override
  public void fill(long to, byte value, long bytes) {
    check();
    Calls.check(
        "cuMemsetD8Async", JCudaDriver.cuMemsetD8Async(Addresses.device(to), value, bytes, stream));
  }

  @Override
  public void launch(
      Driver.Kernel kernel,
      int gridX,
      int gridY,
      int threads,
      int sharedBytes,
      MemorySegment params) {
    check();
    final int code =
        JCudaDriver.cuLaunchKernel(
            ((GpuKernel) kernel).function(),
            gridX,
            gridY,
            1,
            threads,
            1,
            1,
            sharedBytes,
            stream,
            null,
            driver.launchBlock().of(params));
    if (code != CUresult.CUDA_SUCCESS) throw Calls.refused("cuLaunchKernel " + kernel.name(), code);
  }

  @Override
  public void record(Driver.Event event) {
    check();
    final GpuEvent own = (GpuEvent) event;
    own.check();
    Calls.check("cuEventRecord", JCudaDriver.cuEventRecord(own.event, stream));
  }

  @Override
  public void await(Driver.Event event) {
    check();
    final GpuEvent any = (GpuEvent) event;
    any.checkOpen();
    Calls.check("cuStreamWaitEvent", JCudaDriver.cuStreamWaitEvent(stream, any.event, 0));
  }

  @Override
  public Driver.Event newEvent() {
    check();
    return new GpuEvent(driver);
  }

  @Override
  public Driver.Graph capture(Runnable work) {
    check();
    Calls.check(
        "cuStreamBeginCapture",
        JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    final CUgraph graph = new CUgraph();
    try {
      work.run();
    } catch (RuntimeException e) {
      JCudaDriver.cuStreamEndCapture(stream, graph); // Whatever it answers, the work has failed.
      JCudaDriver.cuGraphDestroy(graph);
      throw e;
    }
    Calls.check("cuStreamEndCapture", JCudaDriver.cuStreamEndCapture(stream, graph));
    try {
      return new GpuGraph(driver, graph);
    } finally {
      Calls.check("cuGraphDestroy", JCudaDriver.cuGraphDestroy(graph));
    }
  }

  @Override
  public void launch(Driver.Graph graph) {
    check();
    final GpuGraph own = (GpuGraph) graph;
    own.check();
    Calls.check("cuGraphLaunch", JCudaDriver.cuGraphLaunch(own.executable, stream));
  }

  @Override
  public void synchronize() {
    check();
    Calls.check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize(stream));
  }

  @Override
  void release() {
    Calls.check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize(stream));
    Calls.check("cuStreamDestroy", JCudaDriver.cuStreamDestroy(stream));
  }
}
