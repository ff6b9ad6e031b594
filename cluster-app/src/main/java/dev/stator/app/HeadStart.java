package dev.stator.app;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.cpu.CpuDevice;
import java.util.Set;

/**
 * Does beside the reading of the command line what every server's start comes to soon, on a second
 * core. Nothing depends on it; what fails here fails again where it is needed, and is reported
 * there.
 */
final class HeadStart {
  private static final Set<String> SERVERS = Set.of("serve", "seed", "join", "run", "chat");

  private HeadStart() {}

  /** For a command that starts a server, in a thread that ends by itself. */
  static void of(String[] arguments) {
    if (arguments.length == 0 || !SERVERS.contains(arguments[0])) return;
    Thread.ofPlatform()
        .name("head-start")
        .daemon()
        .uncaughtExceptionHandler((thread, failure) -> {})
        .start(HeadStart::load);
  }

  private static void load() {
    ConfigFactory.defaultReferenceUnresolved(); // Kept by the library.
    CpuDevice.loadKernels();
  }
}
