package dev.stator.transport;

import com.typesafe.config.ConfigFactory;
import dev.stator.transport.shared.SharedBackend;
import dev.stator.transport.shared.SharedSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Backends over shared memory in a folder of a test's own. */
final class SharedBackends {
  private SharedBackends() {}

  /**
   * @param overrides of {@code stator.transport.shared}
   */
  static SharedBackend start(Path folder, String overrides) {
    return SharedBackend.start(settings(folder, overrides));
  }

  static SharedSettings settings(Path folder, String overrides) {
    return settings(folder, overrides, "auto");
  }

  static SharedSettings settings(Path folder, String overrides, String kernels) {
    return SharedSettings.from(
        ConfigFactory.parseString(
                "shared { %s }\nshared.folder = \"%s\"\nkernels = %s"
                    .formatted(overrides, folder, kernels))
            .withFallback(ConfigFactory.load().getConfig("stator.transport")));
  }

  static long fileCount(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.count();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
