package dev.stator.app;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.NodeSettings.Engine;
import dev.stator.device.DeviceKind;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeConfigTest {
  @ParameterizedTest
  @CsvSource({"MODEL, AUTO", "CPU, CPU", "CUDA, CUDA"})
  void shouldComputeOnTheDeviceThatOutNames(Engine engine, DeviceKind kind) {
    assertEquals(kind, DeviceKind.from(config(engine, "")));
  }

  @Test
  void shouldComputeOnTheConfiguredDeviceUnlessOutNamesOne() {
    final String overrides = "stator.device.kind = cpu";
    assertEquals(DeviceKind.CPU, DeviceKind.from(config(Engine.MODEL, overrides)));
    assertEquals(DeviceKind.CUDA, DeviceKind.from(config(Engine.CUDA, overrides)));
  }

  @Test
  void shouldLimitEitherDeviceAsTheOptionsSay() {
    final Config inBytes = config(Engine.MODEL, OptionalLong.of(1L << 40), OptionalInt.empty(), "");
    final Config inBlocks = config(Engine.MODEL, OptionalLong.empty(), OptionalInt.of(9), "");
    for (String device : new String[] {"stator.device.cpu.", "stator.device.cuda."}) {
      assertEquals(77, inBytes.getInt(device + "context-length"));
      assertEquals(1L << 40, inBytes.getBytes(device + "kv-bytes"));
      assertEquals(9, inBlocks.getInt(device + "block-count"));
    }
  }

  private static Config config(Engine engine, String overrides) {
    return config(engine, OptionalLong.empty(), OptionalInt.empty(), overrides);
  }

  private static Config config(
      Engine engine, OptionalLong kvBytes, OptionalInt kvBlocks, String overrides) {
    return NodeConfig.of(
        new NodeSettings(
            Optional.of(Path.of("model.gguf")),
            engine,
            Optional.empty(),
            "127.0.0.1",
            0,
            OptionalInt.empty(),
            OptionalInt.of(77),
            kvBytes,
            kvBlocks,
            0,
            1,
            Optional.empty(),
            ConfigFactory.parseString(overrides)));
  }
}
