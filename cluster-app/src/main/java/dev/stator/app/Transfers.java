package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.device.KvMemory;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.node.TransferBackends;
import dev.stator.worker.SharedKvMemory;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How a cluster's node moves KV blocks: its transfer backends, and where the blocks lie. */
final class Transfers implements AutoCloseable {
  /** Between a node's name and what tells its lives apart, in an agent's name. */
  private static final char LIFE_SEPARATOR = '~';

  private final TransferBackends backends;

  private Transfers(TransferBackends backends) {
    this.backends = backends;
  }

  /**
   * @throws IllegalArgumentException when the settings are wrong, or no backend can start
   */
  static Transfers start(Config config) {
    return new Transfers(
        TransferBackends.start(config.getConfig("stator.transport"), System::nanoTime));
  }

  TransferBackend backend() {
    return backends.selector();
  }

  /** The backends in the order in which they are tried. */
  List<String> names() {
    return List.of(backends.selector().name().split(", "));
  }

  /** As {@link TransferBackends#copies}. */
  String copies() {
    return backends.copies();
  }

  /** How blocks go to other nodes by now: backend by node, its latest life. */
  Map<String, String> routes() {
    final Map<String, String> byNode = new TreeMap<>();
    new TreeMap<>(backends.selector().routes())
        .forEach((agent, backend) -> byNode.put(node(agent), backend));
    return byNode;
  }

  /** As {@link TransferBackends#frameFaults}. */
  Map<String, Long> frameFaults() {
    return backends.frameFaults();
  }

  private static String node(String agent) {
    final int end = agent.indexOf(LIFE_SEPARATOR);
    return end < 0 ? agent : agent.substring(0, end);
  }

  /** Memory that other processes can map, where a backend wants that. */
  KvMemory.Allocator kvMemory(KvMemory.Allocator own) {
    return bytes ->
        backends
            .allocateShared(bytes)
            .<KvMemory>map(SharedKvMemory::new)
            .orElseGet(() -> own.allocate(bytes));
  }

  @Override
  public void close() {
    backends.close();
  }
}
