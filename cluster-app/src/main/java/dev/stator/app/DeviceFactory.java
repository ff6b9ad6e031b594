package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.cli.NodeSettings;
import dev.stator.device.Device;
import dev.stator.device.DeviceKind;
import dev.stator.device.KvMemory;
import dev.stator.device.cpu.CpuDevice;
import dev.stator.device.cpu.CpuDeviceSettings;
import dev.stator.device.cuda.Cuda;
import dev.stator.device.cuda.CudaDeviceSettings;
import dev.stator.device.cuda.CudaDevices;
import dev.stator.device.cuda.CudaGpu;
import dev.stator.device.cuda.TensorParallel;
import dev.stator.device.simulated.EchoDevice;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelFormatException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** Makes the devices that compute a node's answers. */
final class DeviceFactory {
  private DeviceFactory() {}

  /**
   * Each call of the function makes a device of its own, for the slot of that number, from 0; the
   * caller closes it.
   *
   * @param slots how many there will be
   * @param kvMemory where KV blocks lie that are not in a GPU's memory
   * @throws IllegalArgumentException when the configuration asks for a device that cannot be had
   */
  static IntFunction<Device> of(
      NodeSettings.Engine engine,
      LoadedModel model,
      Config config,
      int slots,
      KvMemory.Allocator kvMemory) {
    if (engine == NodeSettings.Engine.ECHO) {
      final int blockCount = config.getInt("stator.device.echo.block-count");
      return slot -> echo(model, blockCount);
    }
    final CudaDeviceSettings cuda = CudaDeviceSettings.from(config);
    final DeviceChoice choice =
        DeviceChoice.of(
            DeviceKind.from(config),
            Cuda::find,
            cuda.ordinal(),
            () -> CudaDevices.obstacle(model.config()));
    final CpuDeviceSettings cpu = CpuDeviceSettings.from(config);
    if (choice.isCpu()) return slot -> checked(model, () -> CpuDevice.create(model, cpu, kvMemory));
    return onGpus(model, cuda, choice, TensorParallel.from(config), GpuSharing.from(config, slots));
  }

  private static IntFunction<Device> onGpus(
      LoadedModel model,
      CudaDeviceSettings cuda,
      DeviceChoice choice,
      TensorParallel parallel,
      GpuSharing sharing) {
    final int count = choice.gpus().size();
    final CudaDeviceSettings alone = cuda.sharedBy(sharing.enginesOfGpu(1, count));
    final int degree = parallel.degree(model, alone, choice.gpus());
    final CudaDeviceSettings shared = cuda.sharedBy(sharing.enginesOfGpu(degree, count));
    return slot -> {
      final List<CudaGpu> gpus = choice.gpus(sharing.firstEngine() + slot, degree);
      return checked(model, () -> CudaDevices.create(model, shared, gpus));
    };
  }

  /** What is wrong with a weight is said of its file. */
  private static Device checked(LoadedModel model, Supplier<Device> making) {
    try {
      return making.get();
    } catch (ModelFormatException broken) {
      throw new ModelFormatException(
          Path.of(model.source()).getFileName() + ": " + broken.getMessage(), broken);
    }
  }

  private static Device echo(LoadedModel model, int blockCount) {
    final int end = model.defaults().endTokenIds().stream().min(Integer::compare).orElse(0);
    return new EchoDevice(
        blockCount,
        CpuDevice.BLOCK_SIZE,
        model.tokenizer().vocabularySize(),
        model.config().contextLength(),
        end);
  }
}
