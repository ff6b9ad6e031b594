package dev.stator.cluster;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeSettingsTest {
  private static final Config DEFAULTS = ConfigFactory.load();

  @Test
  void shouldReadTheDefaults() {
    assertTrue(NodeSettings.from(DEFAULTS).restartDelayMin().isPositive());
  }

  @ParameterizedTest
  @CsvSource({
    "stator.node.restart-delay-min, 31s, restart-delay-max",
    "stator.session.retry-delay, 3s, stator.session.retry-delay-max",
    "stator.session.place-patience, 1s, stator.router.pending-timeout",
    "stator.session.check-interval, 10ms, stator.worker.reconcile-interval",
    "stator.transport.write-timeout, 60s, stator.worker.remote-prefill-timeout"
  })
  void shouldNameBothKeysWhenTwoContradictEachOther(String key, String value, String otherKey) {
    final Config config = ConfigFactory.parseString(key + " = " + value).withFallback(DEFAULTS);
    final String reason =
        assertThrows(IllegalArgumentException.class, () -> NodeSettings.from(config)).getMessage();
    assertTrue(reason.contains(key) && reason.contains(otherKey), reason);
  }
}
