package dev.stator.app;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.cli.NodeSettings.Engine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigRulesTest {
  private static final Config DEFAULTS = ConfigFactory.load();

  private static Config with(String overrides) {
    return ConfigFactory.parseString(overrides).withFallback(DEFAULTS);
  }

  @Test
  void shouldTakeTheDefaults() {
    assertDoesNotThrow(() -> ConfigRules.check(DEFAULTS, Engine.MODEL));
  }

  @ParameterizedTest
  @CsvSource({
    "stator.engine.step-tokens-max, 513, stator.device.cpu.step-tokens-max, 512",
    "stator.engine.step-tokens-max, 400, stator.device.cuda.step-tokens-max, 399",
    "stator.engine.running-max, 65, stator.device.cpu.step-tokens-max, 64",
    "stator.engine.running-max, 9, stator.transport.grants-max, 8",
    "stator.http.limits.choices-max, 5, stator.session.choices-max, 4",
    "stator.http.limits.stop-strings-max, 5, stator.session.stop-strings-max, 4",
    "stator.http.limits.stop-string-characters-max, 9, stator.session.stop-string-length-max, 8"
  })
  void shouldNameBothKeysWhenOneIsMoreThanTheOtherAllows(
      String key, int value, String limitKey, int limit) {
    final Config wrong = with(key + " = " + value + "\n" + limitKey + " = " + limit);
    final Config right = with(key + " = " + limit + "\n" + limitKey + " = " + limit);
    assertEquals(
        "%s (%d) must be at most %s (%d)".formatted(key, value, limitKey, limit), reason(wrong));
    assertDoesNotThrow(() -> ConfigRules.check(right, Engine.MODEL));
  }

  @Test
  void shouldNameBothKeysWhenAStopIsNotLongerThanItsDrain() {
    assertEquals(
        "stator.node.stop-timeout (9s) must be longer than stator.http.drain-timeout (9s)",
        reason(with("stator.node.stop-timeout = 9s\n stator.http.drain-timeout = 9s")));
    final String release = "stator.transport.device-ipc.release-timeout";
    assertEquals(
        "stator.node.stop-timeout (45s) must be longer than " + release + " (45s)",
        reason(with(release + " = 45s")));
  }

  @Test
  void shouldNotAskForTheLimitOfADeviceThatIsNotUsed() {
    final String longSteps = "stator.engine.step-tokens-max = 2048\n";
    assertDoesNotThrow(() -> ConfigRules.check(with(longSteps), Engine.ECHO));
    final Config onGpu = with(longSteps + "stator.device.kind = cuda");
    assertDoesNotThrow(() -> ConfigRules.check(onGpu, Engine.MODEL));
    final Config onCpu = with("stator.device { kind = cpu, cuda.step-tokens-max = 1 }");
    assertDoesNotThrow(() -> ConfigRules.check(onCpu, Engine.MODEL));
  }

  private static String reason(Config config) {
    return assertThrows(
            IllegalArgumentException.class, () -> ConfigRules.check(config, Engine.MODEL))
        .getMessage();
  }
}
