package dev.stator.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DeviceKindTest {
  private static Config saying(String text) {
    return ConfigFactory.parseString("stator.device.kind = " + text)
        .withFallback(ConfigFactory.defaultReference());
  }

  @Test
  void shouldBeChosenByItselfWhenNothingIsSaid() {
    assertEquals(DeviceKind.AUTO, DeviceKind.from(ConfigFactory.defaultReference()));
  }

  @ParameterizedTest
  @EnumSource
  void shouldBeReadAsItIsWritten(DeviceKind kind) {
    assertEquals(kind, DeviceKind.from(saying(kind.text())));
  }

  @Test
  void shouldSayWhatIsExpectedWhenItIsNotKnown() {
    final var e =
        assertThrows(IllegalArgumentException.class, () -> DeviceKind.from(saying("gpu")));
    assertEquals("stator.device.kind is 'gpu', expected auto, cpu or cuda", e.getMessage());
  }
}
