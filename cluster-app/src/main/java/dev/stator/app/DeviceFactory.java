package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.cli.NodeSettings;
import dev.stator.device.Device;
import dev.stator.device.KvMemory;
import dev.stator.device.cpu.CpuDevice;
import dev.stator.device.cpu.CpuDeviceSettings;
import dev.stator.device.simulated.EchoDevice;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelFormatException;
import java.nio.file.Path;
import java.util.function.Supplier;

/** Makes the device that {@code out=} names. */
final class DeviceFactory {
  private DeviceFactory() {}

  /**
   * Each call of the supplier makes a device of its own; the caller closes it.
   *
   * @param kvMemory where KV blocks lie
   */
  static Supplier<Device> of(
      NodeSettings.Engine engine, LoadedModel model, Config config, KvMemory.Allocator kvMemory) {
    return switch (engine) {
      case CPU -> {
        final CpuDeviceSettings settings = CpuDeviceSettings.from(config);
        yield () -> cpu(model, settings, kvMemory);
      }
      case ECHO -> {
        final int blockCount = config.getInt("stator.device.echo.block-count");
        yield () -> echo(model, blockCount);
      }
    };
  }

  /** What is wrong with a weight is said of its file. */
  private static Device cpu(
      LoadedModel model, CpuDeviceSettings settings, KvMemory.Allocator kvMemory) {
    try {
      return CpuDevice.create(model, settings, kvMemory);
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
