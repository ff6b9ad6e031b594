package dev.stator.model.file;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.model.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Reads JSON and text files of bounded size and depth; a key that appears twice is refused. Any
 * thread.
 */
final class JsonFiles {
  private final ObjectMapper mapper;
  private final ModelFileLimits limits;

  JsonFiles(ModelFileLimits limits) {
    this.limits = limits;
    // Vocabularies have 100,000 different keys: a table of them would only grow.
    final JsonFactory factory =
        JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(limits.jsonDepthMax())
                    .maxStringLength(limits.tokenizerJsonBytesMax())
                    .maxNameLength(limits.ggufNameBytesMax())
                    .build())
            .build();
    this.mapper =
        new ObjectMapper(factory)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);
  }

  /** The object in a file of a folder, empty when there is no such file. */
  Optional<JsonNode> find(Path folder, String fileName) {
    final Path file = folder.resolve(fileName);
    return Files.exists(file) ? Optional.of(read(file, limits.jsonBytesMax())) : Optional.empty();
  }

  /** The object in a file of a folder. */
  JsonNode require(Path folder, String fileName) {
    return read(folder.resolve(fileName), limits.jsonBytesMax());
  }

  JsonNode requireTokenizer(Path folder) {
    return read(folder.resolve("tokenizer.json"), limits.tokenizerJsonBytesMax());
  }

  /** A text file of a folder, empty when there is no such file. */
  Optional<String> findText(Path folder, String fileName) {
    final Path file = folder.resolve(fileName);
    if (!Files.exists(file)) return Optional.empty();
    return Optional.of(
        Messages.about(
            fileName,
            () -> new String(readBytes(file, limits.jsonBytesMax()), StandardCharsets.UTF_8)));
  }

  private JsonNode read(Path file, int bytesMax) {
    return Messages.about(Messages.nameOf(file), () -> parseObject(readBytes(file, bytesMax)));
  }

  /** The object that {@code bytes} hold; messages do not name the file. */
  JsonNode parseObject(byte[] bytes) {
    final JsonNode node;
    try {
      node = mapper.readTree(bytes);
    } catch (JsonProcessingException e) {
      final String where =
          e.getLocation() == null
              ? ""
              : " at line %d, column %d"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      throw new ModelFormatException("it is not valid JSON" + where, e);
    } catch (IOException e) {
      throw new ModelFormatException("it is not valid JSON", e);
    }
    if (node == null || !node.isObject()) throw new ModelFormatException("it holds no JSON object");
    return node;
  }

  private static byte[] readBytes(Path file, int bytesMax) throws IOException {
    if (!Files.exists(file)) throw new NoSuchFileException(file.toString());
    if (!Files.isRegularFile(file)) throw new ModelFormatException("it is not a file");
    try (InputStream in = Files.newInputStream(file)) {
      final byte[] bytes = in.readNBytes(bytesMax);
      if (bytes.length == bytesMax && in.read() >= 0) {
        throw new ModelFormatException(
            "the file is longer than its limit of " + bytesMax + " bytes");
      }
      return bytes;
    }
  }
}
