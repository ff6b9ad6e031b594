package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.device.KvMemory;
import dev.stator.transport.BackendSelector;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.aeron.AeronSettings;
import dev.stator.transport.aeron.AeronTransport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How a cluster's node moves KV blocks: its transfer backends, and where the blocks lie. */
final class Transfers implements AutoCloseable {
  private final BackendSelector selector;
  private final List<String> names;

  private Transfers(BackendSelector selector, List<String> names) {
    this.selector = selector;
    this.names = names;
  }

  static Transfers from(Config config) {
    final Config transport = config.getConfig("stator.transport");
    final TransferSettings settings = TransferSettings.from(transport);
    final AeronTransport aeron = AeronTransport.create(AeronSettings.from(transport.getConfig("aeron")));
    final List<TransferBackend> inOrder =
        List.of(InProcessBackend.create(settings), aeron.ipc(), aeron.udp());
    final List<String> names = new ArrayList<>();
    for (TransferBackend backend : inOrder) names.add(backend.name());
    return new Transfers(
        new BackendSelector(inOrder, settings.writeTimeout(), System::nanoTime), names);
  }

  TransferBackend backend() {
    return selector;
  }

  /** The backends in the order in which they are tried. */
  List<String> names() {
    return names;
  }

  /** How blocks go to other agents by now: backend by agent. */
  Map<String, String> routes() {
    return Map.of();
  }

  /** Memory that other processes can map, where a backend wants that. */
  Optional<KvMemory.Allocator> kvMemory() {
    return Optional.empty();
  }

  @Override
  public void close() {
    selector.close();
  }
}
