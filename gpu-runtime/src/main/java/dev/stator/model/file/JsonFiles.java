package dev.stator.model.file;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.model.ModelFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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

  /** The object in a file, empty when there is no such file. */
  Optional<JsonNode> find(FileSource files, String fileName) {
    return read(files, fileName, limits.jsonBytesMax());
  }

  /** The object in a file. */
  JsonNode require(FileSource files, String fileName) {
    return read(files, fileName, limits.jsonBytesMax()).orElseThrow(() -> missing(fileName));
  }

  JsonNode requireTokenizer(FileSource files) {
    return read(files, HuggingFaceText.TOKENIZER, limits.tokenizerJsonBytesMax())
        .orElseThrow(() -> missing(HuggingFaceText.TOKENIZER));
  }

  /** A text file, empty when there is no such file. */
  Optional<String> findText(FileSource files, String fileName) {
    return Messages.about(
        fileName,
        () ->
            files
                .read(fileName, limits.jsonBytesMax())
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8)));
  }

  private Optional<JsonNode> read(FileSource files, String fileName, int bytesMax) {
    return Messages.about(fileName, () -> files.read(fileName, bytesMax).map(this::parseObject));
  }

  private static ModelFormatException missing(String fileName) {
    return new ModelFormatException(fileName + ": there is no such file");
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
}
