package dev.stator.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import dev.stator.cli.NodeSettings;

/**
 * The configuration of a node: options over the operator's overlay over each module's {@code
 * reference.conf}.
 */
final class NodeConfig {
  private NodeConfig() {}

  static Config of(NodeSettings settings) {
    Config options = ConfigFactory.empty();
    options = with(options, "stator.http.host", settings.host());
    options = with(options, "stator.http.port", settings.port());
    if (settings.threads().isPresent()) {
      options = with(options, "stator.device.cpu.threads", settings.threads().getAsInt());
    }
    if (settings.contextLength().isPresent()) {
      options =
          with(options, "stator.device.cpu.context-length", settings.contextLength().getAsInt());
    }
    if (settings.kvBytes().isPresent()) {
      options = with(options, "stator.device.cpu.kv-bytes", settings.kvBytes().getAsLong());
    }
    if (settings.kvBlocks().isPresent()) {
      options = with(options, "stator.device.cpu.block-count", settings.kvBlocks().getAsInt());
    }
    return ConfigFactory.load(options.withFallback(settings.overrides()));
  }

  private static Config with(Config config, String path, Object value) {
    return config.withValue(path, ConfigValueFactory.fromAnyRef(value, "command line"));
  }
}
