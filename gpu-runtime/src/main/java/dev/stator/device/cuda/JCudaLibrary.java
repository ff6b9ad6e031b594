package dev.stator.device.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import jcuda.driver.JCudaDriver;

/**
 * Loads JCuda's own library. JCuda unpacks it under a fixed name in the temporary folder, or takes
 * what lies there: another user's file, or half of one that another process is writing. So it is
 * given a folder of this process alone, which is gone when the library is loaded.
 */
final class JCudaLibrary {
  private static final String TEMPORARY_FOLDER = "java.io.tmpdir";

  private JCudaLibrary() {}

  /** Why it cannot be loaded; empty when it is. Not to be called twice. */
  static synchronized Optional<String> load() {
    final String folderBefore = System.getProperty(TEMPORARY_FOLDER);
    try {
      final Path own = Files.createTempDirectory("stator-jcuda-");
      System.setProperty(TEMPORARY_FOLDER, own.toString());
      try {
        JCudaDriver.setExceptionsEnabled(false);
        return Optional.empty();
      } finally {
        System.setProperty(TEMPORARY_FOLDER, folderBefore);
        delete(own);
      }
    } catch (IOException | LinkageError e) {
      final String message = String.valueOf(e.getMessage());
      return Optional.of("JCuda cannot be loaded: " + message.lines().findFirst().orElse(""));
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) Files.delete(file);
    }
    Files.delete(folder);
  }
}
