package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.cli.NodeSettings;
import dev.stator.device.DeviceKind;
import java.time.Duration;

/**
 * What must hold between the sections of a node's configuration; within a section its settings
 * record checks it.
 */
final class ConfigRules {
  private static final String STEP_TOKENS_KEY = "stator.engine.step-tokens-max";

  private final Config config;

  private ConfigRules(Config config) {
    this.config = config;
  }

  /**
   * Checked before anything is started.
   *
   * @throws IllegalArgumentException naming both keys and their values
   */
  static void check(Config config, NodeSettings.Engine engine) {
    final ConfigRules rules = new ConfigRules(config);
    if (engine != NodeSettings.Engine.ECHO) rules.checkSteps(DeviceKind.from(config));
    rules.atMost("stator.engine.running-max", "stator.transport.grants-max");
    rules.atMost("stator.http.limits.choices-max", "stator.session.choices-max");
    rules.atMost("stator.http.limits.stop-strings-max", "stator.session.stop-strings-max");
    rules.atMost(
        "stator.http.limits.stop-string-characters-max", "stator.session.stop-string-length-max");
    rules.longer("stator.node.stop-timeout", "stator.http.drain-timeout");
    rules.longer("stator.node.stop-timeout", "stator.transport.device-ipc.release-timeout");
  }

  /**
   * Where either device may be chosen, both must take a step, one token of each sequence at least.
   */
  private void checkSteps(DeviceKind kind) {
    final boolean isDevices = config.getString(STEP_TOKENS_KEY).equals("auto");
    final String key = isDevices ? "stator.engine.running-max" : STEP_TOKENS_KEY;
    if (kind != DeviceKind.CUDA) atMost(key, "stator.device.cpu.step-tokens-max");
    if (kind != DeviceKind.CPU) atMost(key, "stator.device.cuda.step-tokens-max");
  }

  private void atMost(String key, String limitKey) {
    final long value = config.getLong(key);
    final long limit = config.getLong(limitKey);
    if (value > limit) {
      throw new IllegalArgumentException(
          "%s (%d) must be at most %s (%d)".formatted(key, value, limitKey, limit));
    }
  }

  private void longer(String key, String otherKey) {
    final Duration value = config.getDuration(key);
    final Duration other = config.getDuration(otherKey);
    if (value.compareTo(other) <= 0) {
      throw new IllegalArgumentException(
          "%s (%s) must be longer than %s (%s)"
              .formatted(key, config.getString(key), otherKey, config.getString(otherKey)));
    }
  }
}
