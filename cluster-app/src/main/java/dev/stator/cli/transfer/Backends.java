package dev.stator.cli.transfer;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.transport.BlockGeometry;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.aeron.AeronSettings;
import dev.stator.transport.aeron.AeronTransport;
import java.nio.file.Path;
import java.security.SecureRandom;

/** Transfer backends, agents and memory as the product makes them. */
final class Backends {
  static final String LAYOUT = "bench";

  private static final Config CONFIG = ConfigFactory.load().getConfig("stator.transport");

  private Backends() {}

  static TransferBackend create(String name) {
    return switch (name) {
      case InProcessBackend.NAME -> InProcessBackend.create(settings());
      case "ipc" -> {
        final AeronTransport transport = transport();
        transport.udp().close();
        yield transport.ipc();
      }
      case "udp" -> {
        final AeronTransport transport = transport();
        transport.ipc().close();
        yield transport.udp();
      }
      default -> throw new IllegalArgumentException("no backend is called " + name);
    };
  }

  private static AeronTransport transport() {
    return AeronTransport.create(AeronSettings.from(CONFIG.getConfig("aeron")));
  }

  static TransferAgent agent(String name, TransferBackend backend) {
    return new TransferAgent(name, settings(), backend, System::nanoTime, new SecureRandom());
  }

  private static TransferSettings settings() {
    return TransferSettings.from(CONFIG);
  }

  /** Memory like that of a KV pool, every page touched. */
  static SharedMemory memory(long bytes) {
    final SharedMemory memory =
        SharedMemory.allocate(Path.of(CONFIG.getString("aeron.home"), "stator-bench"), bytes);
    memory.segment().fill((byte) 1);
    return memory;
  }

  static BlockGeometry geometry(int blockBytes) {
    return new BlockGeometry(blockBytes, LAYOUT);
  }
}
