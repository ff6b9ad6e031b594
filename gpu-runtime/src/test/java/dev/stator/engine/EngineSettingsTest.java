package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineSettingsTest {
  private static final Config DEFAULTS = ConfigFactory.load();

  @Test
  void shouldReadTheDefaults() {
    final EngineSettings settings = EngineSettings.from(DEFAULTS, 2048);
    assertEquals(DEFAULTS.getInt("stator.engine.running-max"), settings.runningMax());
    assertEquals(2048, settings.stepTokensMax());
    assertEquals(2048, settings.prefillChunkMax());
    assertEquals(HostTierSettings.PLAIN, settings.hostTier());
  }

  @Test
  void shouldLetEverySequenceDecodeInAStepWhenTheDeviceWantsLess() {
    final EngineSettings settings = EngineSettings.from(DEFAULTS, 8);
    assertEquals(settings.runningMax(), settings.stepTokensMax());
  }

  @ParameterizedTest
  @CsvSource({
    "step-tokens-max, 63",
    "step-tokens-max, 0",
    "prefill-chunk-max, 0",
    "running-max, 0",
    "waiting-max, -1",
    "waiting-begun-max, 0",
    "waiting-tokens-max, 0",
    "request-blocks-max, 0",
    "growth-blocks, -1",
    "speculation.tokens-max, 0",
    "speculation.ngram-min, 0",
    "speculation.ngram-max, 1",
    "speculation.batch-max, -1",
    "speculation.mode, draft-model",
    "host-tier.store-blocks-max, 0",
    "host-tier.load-blocks-min, 0"
  })
  void shouldNameTheKeyWhenAValueIsOutOfRange(String key, String value) {
    final Config config =
        ConfigFactory.parseString("stator.engine." + key + "=" + value).withFallback(DEFAULTS);
    final IllegalArgumentException thrown =
        assertThrows(IllegalArgumentException.class, () -> EngineSettings.from(config, 256));
    assertTrue(thrown.getMessage().startsWith("stator.engine." + key), thrown::getMessage);
    assertTrue(thrown.getMessage().contains(value), thrown::getMessage);
  }
}
