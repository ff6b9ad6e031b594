package dev.stator.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;

class GpuSharingTest {
  @Test
  void shouldCountThisProcessAloneByDefault() {
    assertEquals(new GpuSharing(0, 3), GpuSharing.from(ConfigFactory.load(), 3));
  }

  @Test
  void shouldCountTheEnginesOfTheBusiestGpu() {
    final GpuSharing sharing = new GpuSharing(2, 5);
    assertEquals(1, sharing.enginesOfGpu(1, 8));
    assertEquals(2, sharing.enginesOfGpu(1, 4));
    assertEquals(5, sharing.enginesOfGpu(2, 2));
  }

  @Test
  void shouldNameTheKeyWhenTheMachineHasTooFewEngines() {
    final Config config =
        ConfigFactory.parseString("stator.device.cuda { machine-engines = 4, first-engine = 3 }");
    final var wrong =
        assertThrows(
            IllegalArgumentException.class,
            () -> GpuSharing.from(config.withFallback(ConfigFactory.load()), 2));
    assertEquals(
        "stator.device.cuda.machine-engines is 4, expected 0, or the 5 up to this process's last at"
            + " least",
        wrong.getMessage());
  }
}
