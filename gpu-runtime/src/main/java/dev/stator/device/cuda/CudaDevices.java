package dev.stator.device.cuda;

import dev.stator.device.Device;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import java.util.Optional;

/** Makes the devices of GPUs. */
public final class CudaDevices {
  private CudaDevices() {}

  /** Why no GPU can run such a model; empty when one can. */
  public static Optional<String> obstacle(ModelConfig config) {
    return Optional.ofNullable(CudaDevice.obstacle(config));
  }

  /**
   * As {@link CudaDevice#create}; the caller closes it.
   *
   * @throws CudaException when the GPU refuses
   */
  public static Device create(LoadedModel model, CudaDeviceSettings settings, CudaGpu gpu) {
    return CudaDevice.create(model, settings, Cuda.open(gpu.index()));
  }
}
