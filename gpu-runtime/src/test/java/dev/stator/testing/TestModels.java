package dev.stator.testing;

import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * Where the models are that tests use. The system property {@code stator.root} names the project's
 * folder.
 */
public final class TestModels {
  /** The formats that Stator Tiny exists in. */
  public static final List<String> TINY_GGUF_NAMES =
      Stream.of("f16", "q8_0", "q4_0", "q4_k_m", "q5_k_m", "q6_k")
          .map(type -> "stator-tiny-" + type + ".gguf")
          .toList();

  private TestModels() {}

  /** Stator Tiny, Q8_0: always there. */
  public static Path bundled() {
    return root().resolve("gpu-runtime/models/stator-tiny/stator-tiny-q8_0.gguf");
  }

  /** {@link #bundled}, opened; the caller closes it. */
  public static LoadedModel openBundled() {
    return ModelFiles.open(bundled());
  }

  /** One of {@link #TINY_GGUF_NAMES}; the test is skipped where it is absent. */
  public static Path tinyGguf(String name) {
    return shared("models/" + name);
  }

  /** Stator Tiny as a Hugging Face folder in bfloat16; the test is skipped where it is absent. */
  public static Path tinyHuggingFace() {
    return shared("models/hf");
  }

  /** A file or folder of the shared test data; the test is skipped where it is absent. */
  public static Path shared(String relativePath) {
    final Path path = root().resolveSibling("shared").resolve(relativePath);
    Assumptions.assumeTrue(Files.exists(path), "needs the shared test data: " + relativePath);
    return path;
  }

  /** The project's folder. */
  public static Path root() {
    final String root = System.getProperty("stator.root");
    if (root == null) throw new IllegalStateException("the system property stator.root is not set");
    return Path.of(root).toAbsolutePath().normalize();
  }
}
