package dev.stator.model.file;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightMatrix;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** The tensors of a Hugging Face folder: one safetensors file, or several under an index. */
final class SafetensorsModel implements TensorSource {
  private static final String SINGLE_FILE = "model.safetensors";
  private static final String INDEX_FILE = "model.safetensors.index.json";
  private static final Pattern SHARD_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,254}");

  private final Map<String, SafetensorsFile> fileByTensor;
  private final Set<String> names;

  private SafetensorsModel(Map<String, SafetensorsFile> fileByTensor) {
    this.fileByTensor = fileByTensor;
    final Set<String> fp8 = new HashSet<>();
    for (SafetensorsFile file : Set.copyOf(fileByTensor.values())) fp8.addAll(file.fp8Names());
    names = Fp8Tensors.withoutCompanions(Collections.unmodifiableSet(fileByTensor.keySet()), fp8);
  }

  /**
   * Maps all files of a folder.
   *
   * @param arena owns the mappings
   */
  static SafetensorsModel open(Path folder, Arena arena, JsonFiles json, ModelFileLimits limits) {
    if (Files.exists(folder.resolve(SINGLE_FILE))) {
      final SafetensorsFile file = openFile(folder, SINGLE_FILE, arena, json, limits);
      final Map<String, SafetensorsFile> fileByTensor = new LinkedHashMap<>();
      for (String name : file.names()) fileByTensor.put(name, file);
      return new SafetensorsModel(fileByTensor);
    }
    final JsonNode index =
        json.find(FileSource.of(folder), INDEX_FILE)
            .orElseThrow(() ->
                new ModelFormatException(
                    "the folder has neither %s nor %s".formatted(SINGLE_FILE, INDEX_FILE)));
    final Map<String, String> shardByTensor =
        Messages.about(INDEX_FILE, () -> readIndex(index, limits));
    final Map<String, SafetensorsFile> shards = new HashMap<>();
    final Map<String, SafetensorsFile> fileByTensor = new LinkedHashMap<>();
    for (Map.Entry<String, String> entry : shardByTensor.entrySet()) {
      final String shardName = entry.getValue();
      final SafetensorsFile shard =
          shards.computeIfAbsent(shardName, name -> openFile(folder, name, arena, json, limits));
      if (!shard.has(entry.getKey())) {
        throw new ModelFormatException(
            "%s: the tensor %s, which the index says is here, is missing"
                .formatted(shardName, Messages.quoted(entry.getKey())));
      }
      fileByTensor.put(entry.getKey(), shard);
    }
    return new SafetensorsModel(fileByTensor);
  }

  private static SafetensorsFile openFile(
      Path folder, String name, Arena arena, JsonFiles json, ModelFileLimits limits) {
    return Messages.about(
        name, () -> SafetensorsFile.read(GgufFile.map(folder.resolve(name), arena), json, limits));
  }

  private static Map<String, String> readIndex(JsonNode index, ModelFileLimits limits) {
    final JsonNode weightMap = index.get("weight_map");
    if (weightMap == null || !weightMap.isObject()) {
      throw new ModelFormatException("weight_map is missing, expected an object");
    }
    if (weightMap.size() > limits.tensorCountMax()) {
      throw new ModelFormatException(
          "weight_map has %d tensors, the limit is %d"
              .formatted(weightMap.size(), limits.tensorCountMax()));
    }
    final Map<String, String> shardByTensor = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : weightMap.properties()) {
      final String shard = entry.getValue().asText();
      if (!entry.getValue().isTextual() || !SHARD_NAME.matcher(shard).matches()) {
        throw new ModelFormatException(
            "weight_map names the file %s, expected a plain file name"
                .formatted(Messages.quoted(shard)));
      }
      shardByTensor.put(entry.getKey(), shard);
    }
    final long shardCount = shardByTensor.values().stream().distinct().count();
    if (shardCount > limits.safetensorsShardCountMax()) {
      throw new ModelFormatException(
          "weight_map names %d files, the limit is %d"
              .formatted(shardCount, limits.safetensorsShardCountMax()));
    }
    return shardByTensor;
  }

  /** {@inheritDoc} Without those that only serve a weight of 8-bit floats. */
  @Override
  public Set<String> names() {
    return names;
  }

  @Override
  public boolean has(String name) {
    return fileByTensor.containsKey(name);
  }

  /** {@inheritDoc} These files hold the matrices one by one. */
  @Override
  public List<WeightMatrix> stack(String name) {
    throw new ModelFormatException(
        "tensor " + Messages.quoted(name) + " is expected as one matrix an expert");
  }

  @Override
  public WeightMatrix matrix(String name) {
    final SafetensorsFile file = fileByTensor.get(name);
    if (file == null)
      throw new ModelFormatException("the tensor " + Messages.quoted(name) + " is missing");
    return file.matrix(name, this);
  }
}
