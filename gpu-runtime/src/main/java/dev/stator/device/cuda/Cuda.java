package dev.stator.device.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import jcuda.driver.JCudaDriver;

/**
 * Which GPUs this process can use. Looking for them throws nothing: whatever is missing is said in
 * one line. <b>Threads:</b> any.
 */
public final class Cuda {
  private static final int CAPABILITY_MIN = 80;

  private Cuda() {}

  /**
   * What was found.
   *
   * @param gpus all that the driver lists, in its order
   * @param obstacle why none of them can be used; empty when one can
   * @param hasDriver whether NVIDIA's driver is there
   */
  public record Found(List<CudaGpu> gpus, Optional<String> obstacle, boolean hasDriver) {
    public Found {
      gpus = List.copyOf(gpus);
    }

    /** Those that can be used, in the driver's order. */
    public List<CudaGpu> usable() {
      return gpus.stream().filter(CudaGpu::isUsable).toList();
    }
  }

  /** Looks once; where there is a GPU, that takes some tenths of a second. */
  public static Found find() {
    return Once.FOUND;
  }

  /**
   * The driver of a GPU. The calling thread is attached to it.
   *
   * @param index as {@link CudaGpu#index}
   * @throws CudaException when it cannot be used
   */
  static Driver open(int index) {
    final Found found = find();
    final List<CudaGpu> gpus = found.gpus();
    if (index < 0 || index >= gpus.size()) {
      final String none = "there is no GPU " + index;
      throw new CudaException(
          found.obstacle().filter(any -> gpus.isEmpty()).map(o -> none + ": " + o).orElse(none));
    }
    gpus.get(index)
        .obstacle()
        .ifPresent(obstacle -> {
          throw new CudaException(gpus.get(index).toString());
        });
    return GpuDriver.open(index);
  }

  private static final class Once {
    private static final Found FOUND = search();

    private static Found search() {
      if (!DriverLibrary.isThere()) {
        final String none = "there is no CUDA driver (" + DriverLibrary.NAME + ")";
        return new Found(List.of(), Optional.of(none), false);
      }
      final Optional<String> obstacle = DriverLibrary.obstacle().or(Once::ownObstacle);
      if (obstacle.isPresent()) return new Found(List.of(), obstacle, true);
      try {
        return judged(Gpus.list());
      } catch (CudaException e) {
        return new Found(List.of(), Optional.of("there is no usable GPU: " + e.getMessage()), true);
      }
    }

    private static Optional<String> ownObstacle() {
      if (!Fatbin.isThere()) return Optional.of("this build has no CUDA kernels, it had no nvcc");
      return JCudaLibrary.load();
    }

    private static Found judged(List<CudaGpu> gpus) {
      if (gpus.stream().anyMatch(CudaGpu::isUsable)) return new Found(gpus, Optional.empty(), true);
      final String each = gpus.stream().map(CudaGpu::toString).collect(Collectors.joining(". "));
      return new Found(gpus, Optional.of(gpus.isEmpty() ? "there is no GPU" : each), true);
    }
  }

  /** What needs JCuda; not touched before its library is loaded. */
  private static final class Gpus {
    private static List<CudaGpu> list() {
      Calls.check("cuInit", JCudaDriver.cuInit(0));
      final Map<Integer, Optional<String>> obstacles = new HashMap<>();
      final List<CudaGpu> gpus = new ArrayList<>();
      for (int i = 0; i < GpuProperties.count(); i++) {
        final int index = i;
        final GpuProperties gpu = GpuProperties.of(i);
        gpus.add(
            new CudaGpu(
                i,
                gpu.name(),
                gpu.memoryBytes(),
                gpu.computeCapability(),
                obstacles.computeIfAbsent(
                    gpu.computeCapability(), capability -> obstacle(index, capability))));
      }
      return gpus;
    }

    /** The same for all GPUs of that capability: loading is tried once each. */
    private static Optional<String> obstacle(int index, int capability) {
      if (capability < CAPABILITY_MIN) {
        return Optional.of("the kernels need " + CudaGpu.capability(CAPABILITY_MIN) + " or more");
      }
      try (Driver driver = GpuDriver.open(index)) {
        driver.freeBytes();
        return Optional.empty();
      } catch (CudaException e) {
        return Optional.of(
            "the driver, for CUDA " + version() + ", does not load the kernels: " + e.getMessage());
      }
    }

    private static String version() {
      final int[] version = new int[1];
      Calls.check("cuDriverGetVersion", JCudaDriver.cuDriverGetVersion(version));
      return version[0] / 1000 + "." + version[0] % 1000 / 10;
    }
  }
}
