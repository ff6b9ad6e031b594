package dev.stator.multijvm.harness;

import java.nio.file.Path;
import java.util.Map;

/** The launcher's start-up cache for this run of the tests; made when it is first asked for. */
final class StartUpCache {
  private static Path folder; // Guarded by the class.

  private StartUpCache() {}

  static synchronized Path of(Distribution distribution) {
    if (folder == null) folder = make(distribution);
    return folder;
  }

  private static Path make(Distribution distribution) {
    final Path made =
        Path.of(System.getProperty("stator.root"), "multi-jvm-tests", "target", "start-up-cache");
    try (StatorProcess prepare =
        StatorProcess.start(
            distribution.launcher(),
            Path.of("."),
            Map.of("STATOR_CACHE", made.toString()),
            "prepare")) {
      if (prepare.waitForExit() != 0) throw new AssertionError("no start-up cache\n" + prepare);
      return made;
    } catch (java.io.IOException broken) {
      throw new java.io.UncheckedIOException(broken);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError(interrupted);
    }
  }
}
