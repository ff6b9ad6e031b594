package dev.stator.device.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Optional;

/**
 * NVIDIA's driver as a library, looked at before JCuda is touched: without it JCuda's classes
 * cannot be initialised, and a function that it lacks would end the process when JCuda calls it.
 */
final class DriverLibrary {
  static final String NAME = "libcuda.so.1";
  private static final Optional<SymbolLookup> LIBRARY = load();

  /** What this package calls, by way of JCuda. */
  static final List<String> FUNCTIONS =
      List.of(
          "cuCtxEnablePeerAccess",
          "cuCtxSetCurrent",
          "cuDeviceCanAccessPeer",
          "cuDeviceGet",
          "cuDeviceGetAttribute",
          "cuDeviceGetCount",
          "cuDeviceGetName",
          "cuDevicePrimaryCtxRelease_v2",
          "cuDevicePrimaryCtxRetain",
          "cuDeviceTotalMem_v2",
          "cuDriverGetVersion",
          "cuEventCreate",
          "cuEventDestroy_v2",
          "cuEventRecord",
          "cuEventSynchronize",
          "cuFuncGetAttribute",
          "cuFuncSetAttribute",
          "cuGraphDestroy",
          "cuGraphExecDestroy",
          "cuGraphInstantiateWithFlags",
          "cuGraphLaunch",
          "cuInit",
          "cuLaunchKernel",
          "cuMemAlloc_v2",
          "cuMemFreeHost",
          "cuMemFree_v2",
          "cuMemGetInfo_v2",
          "cuMemHostAlloc",
          "cuMemcpy2DAsync_v2",
          "cuMemcpyDtoDAsync_v2",
          "cuMemcpyDtoHAsync_v2",
          "cuMemcpyHtoDAsync_v2",
          "cuMemcpyPeerAsync",
          "cuMemsetD8Async",
          "cuModuleGetFunction",
          "cuModuleLoadDataEx",
          "cuModuleUnload",
          "cuStreamBeginCapture_v2",
          "cuStreamCreate",
          "cuStreamDestroy_v2",
          "cuStreamEndCapture",
          "cuStreamSynchronize",
          "cuStreamWaitEvent");

  private DriverLibrary() {}

  static boolean isThere() {
    return LIBRARY.isPresent();
  }

  /** A function's address, if the driver is there and has it. */
  static Optional<MemorySegment> find(String function) {
    return LIBRARY.flatMap(library -> library.find(function));
  }

  /** Why the driver, which is there, cannot be called; empty when it can. */
  static Optional<String> obstacle() {
    final SymbolLookup library = LIBRARY.orElseThrow();
    return FUNCTIONS.stream()
        .filter(function -> library.find(function).isEmpty())
        .findFirst()
        .map(function -> "the CUDA driver is too old, it has no " + function);
  }

  @SuppressWarnings("restricted")
  private static Optional<SymbolLookup> load() {
    try {
      return Optional.of(SymbolLookup.libraryLookup(NAME, Arena.global()));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
