package dev.stator.device.cuda;

import dev.stator.device.Device;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes the devices of GPUs. */
public final class CudaDevices {
  private CudaDevices() {}

  /** Why no GPU can run such a model; empty when one can. */
  public static Optional<String> obstacle(ModelConfig config) {
    return Optional.ofNullable(CudaDevice.obstacle(config));
  }

  /**
   * A device of all these GPUs, as {@link CudaDevice#create} or {@link ParallelCudaDevice#create};
   * the caller closes it.
   *
   * @throws CudaException when a GPU refuses
   */
  public static Device create(LoadedModel model, CudaDeviceSettings settings, List<CudaGpu> gpus) {
    return of(model, settings, open(gpus));
  }

  /**
   * @param drivers closed with the device, and when it cannot be made
   */
  static Device of(LoadedModel model, CudaDeviceSettings settings, List<Driver> drivers) {
    return drivers.size() == 1
        ? CudaDevice.create(model, settings, drivers.getFirst())
        : ParallelCudaDevice.create(model, settings, drivers);
  }

  private static List<Driver> open(List<CudaGpu> gpus) {
    final List<Driver> drivers = new ArrayList<>();
    try {
      for (CudaGpu gpu : gpus) drivers.add(Cuda.open(gpu.index()));
      return drivers;
    } catch (CudaException e) {
      ParallelCudaDevice.closeAll(drivers, e);
      throw e;
    }
  }
}
