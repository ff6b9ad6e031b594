package dev.stator.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.model.file.GgufFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Where the tests find vocabularies: the bundled model, and real ones beside the repository. */
final class Vocabularies {
  static final ObjectMapper JSON = new ObjectMapper();

  private static final Path ROOT = Path.of(System.getProperty("stator.root", "."));
  private static final Path SHARED = ROOT.resolve("../shared");

  private Vocabularies() {}

  /** The bundled model's, which is always there. */
  static TokenizerMetadata tiny() {
    return gguf(ROOT.resolve("gpu-runtime/models/stator-tiny/stator-tiny-q8_0.gguf"));
  }

  /** One of {@code llama-bpe}, {@code llama-spm}, {@code qwen2}. */
  static TokenizerMetadata real(String name) {
    return gguf(shared("tokenizers/ggml-vocab-" + name + ".gguf"));
  }

  /** A file beside the repository; without it the test is skipped. */
  static Path shared(String name) {
    final Path path = SHARED.resolve(name);
    Assumptions.assumeTrue(Files.exists(path), "needs ../shared/" + name);
    return path;
  }

  static JsonNode sharedJson(String name) {
    try {
      return JSON.readTree(shared(name).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TokenizerMetadata gguf(Path path) {
    // The metadata is read through the mapping, which may therefore not be closed before it.
    return GgufFile.open(path, Arena.ofAuto()).metadata();
  }
}
