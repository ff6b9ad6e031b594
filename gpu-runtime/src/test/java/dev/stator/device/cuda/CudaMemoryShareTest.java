package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;

class CudaMemoryShareTest {
  private static final CudaDeviceSettings SETTINGS =
      CudaDeviceSettings.from(
          ConfigFactory.parseString("stator.device.cuda.memory-share = 0.5")
              .withFallback(ConfigFactory.load()));

  @Test
  void shouldTakeOfWhatIsFreeWhenAlone() {
    assertEquals(450, SETTINGS.room(1000, 900));
  }

  @Test
  void shouldTakeAnEqualPartWheneverItStarts() {
    final CudaDeviceSettings shared = SETTINGS.sharedBy(2);
    assertEquals(250, shared.room(1000, 900));
    assertEquals(250, shared.room(1000, 650));
    assertEquals(150, shared.room(1000, 300));
  }
}
