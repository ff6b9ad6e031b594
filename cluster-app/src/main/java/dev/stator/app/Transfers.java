package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.device.KvMemory;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferSettings;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How a cluster's node moves KV blocks: its transfer backends, and where the blocks lie. */
final class Transfers implements AutoCloseable {
  private final TransferBackend backend;

  private Transfers(TransferBackend backend) {
    this.backend = backend;
  }

  static Transfers from(Config config) {
    final TransferSettings settings = TransferSettings.from(config.getConfig("stator.transport"));
    return new Transfers(InProcessBackend.create(settings));
  }

  TransferBackend backend() {
    return backend;
  }

  /** The backends in the order in which they are tried. */
  List<String> names() {
    return List.of(backend.name());
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
    backend.close();
  }
}
