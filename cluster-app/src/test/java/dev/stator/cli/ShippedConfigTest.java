package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * The operator's {@code config/single.conf}: what it offers exists, and its comments tell the
 * truth.
 */
class ShippedConfigTest {
  private static final Path FILE = Path.of(System.getProperty("stator.root"), "config/single.conf");

  @Test
  void shouldChangeNothingAsShipped() {
    assertTrue(ConfigFactory.parseFile(FILE.toFile()).entrySet().isEmpty());
  }

  @Test
  void shouldOfferKeysThatExistWithTheirDefaults() throws IOException {
    final String uncommented =
        Files.readString(FILE).replaceAll("(?m)^( *)# ([a-z-]+ = .*)$", "$1$2");
    final Config offered = ConfigFactory.parseString(uncommented).withoutPath("stator.log");
    final Config defaults = ConfigFactory.load();
    assertTrue(offered.entrySet().size() > 5, "the keys were not found");
    for (var entry : offered.entrySet()) {
      assertTrue(defaults.hasPath(entry.getKey()), "no such key: " + entry.getKey());
      assertEquals(
          defaults.getValue(entry.getKey()).unwrapped(),
          entry.getValue().unwrapped(),
          entry.getKey());
    }
  }
}
