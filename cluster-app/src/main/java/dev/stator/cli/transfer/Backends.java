package dev.stator.cli.transfer;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import dev.stator.transport.BlockGeometry;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.node.TransferBackends;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;

/** Transfer backends, agents and memory as the product makes them. */
final class Backends {
  static final String LAYOUT = "bench";

  private static final Config CONFIG = ConfigFactory.load().getConfig("stator.transport");

  private Backends() {}

  /** One backend alone, started as the product starts all of them. */
  static TransferBackends start(String name) {
    final Config only =
        CONFIG.withValue("backends", ConfigValueFactory.fromIterable(List.of(name)));
    return TransferBackends.start(only, System::nanoTime);
  }

  /** What copies and checks whole blocks. */
  static String copies() {
    return settings().kernels().title();
  }

  static TransferAgent agent(String name, TransferBackend backend) {
    return new TransferAgent(name, settings(), backend, System::nanoTime, new SecureRandom());
  }

  private static TransferSettings settings() {
    return TransferSettings.from(CONFIG);
  }

  /** Memory like that of a KV pool, every page touched. */
  static SharedMemory memory(long bytes) {
    return touched(
        SharedMemory.allocate(Path.of(CONFIG.getString("aeron.home"), "stator-bench"), bytes));
  }

  static SharedMemory touched(SharedMemory memory) {
    memory.segment().fill((byte) 1);
    return memory;
  }

  static BlockGeometry geometry(int blockBytes) {
    return new BlockGeometry(blockBytes, LAYOUT);
  }
}
