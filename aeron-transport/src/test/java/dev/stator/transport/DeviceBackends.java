package dev.stator.transport;

import com.typesafe.config.ConfigFactory;
import dev.stator.transport.device.DeviceIpcBackend;
import dev.stator.transport.device.DeviceIpcSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Backends between devices, in a folder of a test's own. */
public final class DeviceBackends {
  private DeviceBackends() {}

  /**
   * @param overrides of {@code stator.transport.device-ipc}
   */
  public static DeviceIpcBackend start(Path folder, String overrides) {
    return DeviceIpcBackend.start(
        DeviceIpcSettings.from(
            ConfigFactory.parseString(
                    "device-ipc { %s }\nshared.folder = \"%s\"".formatted(overrides, folder))
                .withFallback(ConfigFactory.load().getConfig("stator.transport"))));
  }

  /** As it is configured: what does not go from device to device goes through shared memory. */
  static BackendSelector withShared(Path folder) {
    return new BackendSelector(
        List.of(start(folder, ""), SharedBackends.start(folder, "")),
        Duration.ofSeconds(1),
        Duration.ofSeconds(30),
        System::nanoTime);
  }
}
