package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The operator's files in {@code config/}: what they offer exists, and their comments are true. */
class ShippedConfigTest {
  private static final Path FOLDER = Path.of(System.getProperty("stator.root"), "config");

  @ParameterizedTest
  @ValueSource(strings = {"single.conf", "agg.conf", "disagg.conf"})
  void shouldChangeNothingAsShipped(String name) {
    assertTrue(ConfigFactory.parseFile(FOLDER.resolve(name).toFile()).entrySet().isEmpty());
  }

  @Test
  void shouldSwitchMutualTlsOn() {
    final Config tls = ConfigFactory.parseFile(FOLDER.resolve("tls.conf").toFile());
    assertTrue(tls.getBoolean("stator.cluster.tls.enabled"));
    for (var entry : tls.entrySet()) {
      assertTrue(ConfigFactory.load().hasPath(entry.getKey()), "no such key: " + entry.getKey());
    }
  }

  @ParameterizedTest
  @CsvSource({"single.conf, 5", "agg.conf, 1", "disagg.conf, 4"})
  void shouldOfferKeysThatExistWithTheirDefaults(String name, int keysMin) throws IOException {
    final String uncommented =
        Files.readString(FOLDER.resolve(name)).replaceAll("(?m)^( *)# ([a-z-]+ = .*)$", "$1$2");
    final Config offered = ConfigFactory.parseString(uncommented).withoutPath("stator.log");
    final Config defaults = ConfigFactory.load();
    assertTrue(offered.entrySet().size() > keysMin, "the keys were not found");
    for (var entry : offered.entrySet()) {
      assertTrue(defaults.hasPath(entry.getKey()), "no such key: " + entry.getKey());
      assertEquals(
          defaults.getValue(entry.getKey()).unwrapped(),
          entry.getValue().unwrapped(),
          entry.getKey());
    }
  }
}
