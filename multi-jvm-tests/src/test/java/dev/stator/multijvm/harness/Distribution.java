package dev.stator.multijvm.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** What {@code mvn package} made in cluster-app: the archive, and the same as a folder. */
public record Distribution(Path home, Path archive) {
  private static final Path BUILD =
      Path.of(System.getProperty("stator.root"), "cluster-app", "target");

  /** The built distribution; without one the test is skipped, which says so. */
  public static Distribution orSkip() {
    final Optional<Path> archive = find();
    Assumptions.assumeTrue(
        archive.isPresent(), "needs the distribution of cluster-app: run 'mvn verify'");
    final String name = archive.get().getFileName().toString().replace(".tar.gz", "");
    return new Distribution(BUILD.resolve(name).resolve(name), archive.get());
  }

  /** The launcher. */
  public Path launcher() {
    return home.resolve("bin").resolve("stator");
  }

  /** Environment with which processes start quickly: a cache that is made once a build. */
  public Map<String, String> startUpCache() {
    return Map.of("STATOR_CACHE", StartUpCache.of(this).toString());
  }

  private static Optional<Path> find() {
    if (!Files.isDirectory(BUILD)) return Optional.empty();
    try (Stream<Path> files = Files.list(BUILD)) {
      return files
          .filter(file -> file.getFileName().toString().matches("stator-.*\\.tar\\.gz"))
          .findFirst();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
