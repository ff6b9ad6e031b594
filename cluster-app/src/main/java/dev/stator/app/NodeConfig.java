package dev.stator.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import dev.stator.cli.ClusterMembership;
import dev.stator.cli.NodeSettings;
import dev.stator.cluster.ClusterConfig;
import dev.stator.cluster.NodeRole;
import dev.stator.device.DeviceKind;
import java.util.ArrayList;
import java.util.List;

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
    for (DeviceKind device : List.of(DeviceKind.CPU, DeviceKind.CUDA)) {
      options = withDevice(options, "stator.device." + device.text() + ".", settings);
    }
    options = withKind(options, settings.engine());
    if (settings.cluster().isEmpty()) {
      return ConfigFactory.load(options.withFallback(settings.overrides()));
    }
    options = withMembership(options, settings.cluster().get());
    final Config unlessSaid =
        with(
            ConfigFactory.empty(),
            "stator.transport.aeron.udp.host",
            settings.cluster().get().host());
    return ClusterConfig.of(
        ConfigFactory.load(options.withFallback(settings.overrides()).withFallback(unlessSaid)));
  }

  private static Config withDevice(Config config, String section, NodeSettings settings) {
    Config options = config;
    if (settings.contextLength().isPresent()) {
      options = with(options, section + "context-length", settings.contextLength().getAsInt());
    }
    if (settings.kvBytes().isPresent()) {
      options = with(options, section + "kv-bytes", settings.kvBytes().getAsLong());
    }
    if (settings.kvBlocks().isPresent()) {
      options = with(options, section + "block-count", settings.kvBlocks().getAsInt());
    }
    return options;
  }

  private static Config withKind(Config config, NodeSettings.Engine engine) {
    return switch (engine) {
      case CPU -> with(config, "stator.device.kind", DeviceKind.CPU.text());
      case CUDA -> with(config, "stator.device.kind", DeviceKind.CUDA.text());
      case MODEL, ECHO -> config;
    };
  }

  private static Config withMembership(Config config, ClusterMembership member) {
    Config options = with(config, "stator.cluster.node-name", member.nodeName());
    options =
        with(
            options,
            "stator.cluster.roles",
            member.roles().stream().map(NodeRole::text).sorted().toList());
    options = with(options, "stator.cluster.host", member.host());
    options = with(options, "stator.cluster.port", member.port());
    return with(options, "stator.cluster.seed-nodes", seedNodes(member));
  }

  /** One that founds a cluster is the first of its own seed nodes, or has none. */
  private static List<String> seedNodes(ClusterMembership member) {
    if (!member.founds() || member.contacts().isEmpty()) return member.contacts();
    final String self = member.host() + ":" + member.port();
    final List<String> seeds = new ArrayList<>();
    seeds.add(self);
    for (String contact : member.contacts()) if (!contact.equals(self)) seeds.add(contact);
    return seeds;
  }

  private static Config with(Config config, String path, Object value) {
    return config.withValue(path, ConfigValueFactory.fromAnyRef(value, "command line"));
  }
}
