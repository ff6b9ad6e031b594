package dev.stator.model.file;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;

/**
 * How much of anything a model file may hold: {@code stator.model-files} in {@code reference.conf},
 * where each value is explained. Sizes are in bytes.
 */
public record ModelFileLimits(
    long ggufHeaderBytesMax,
    int ggufStringBytesMax,
    int ggufNameBytesMax,
    int ggufMetadataCountMax,
    int ggufArrayDepthMax,
    int tensorCountMax,
    int safetensorsHeaderBytesMax,
    int safetensorsShardCountMax,
    int tokenizerJsonBytesMax,
    int jsonBytesMax,
    int jsonDepthMax,
    int cardBytesMax) {

  public ModelFileLimits {
    requirePositive("gguf-header-bytes-max", ggufHeaderBytesMax);
    if (ggufHeaderBytesMax >= Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "gguf-header-bytes-max must be below 2 GiB: " + ggufHeaderBytesMax);
    }
    requirePositive("gguf-string-bytes-max", ggufStringBytesMax);
    requirePositive("gguf-name-bytes-max", ggufNameBytesMax);
    requirePositive("gguf-metadata-count-max", ggufMetadataCountMax);
    requirePositive("gguf-array-depth-max", ggufArrayDepthMax);
    requirePositive("tensor-count-max", tensorCountMax);
    requirePositive("safetensors-header-bytes-max", safetensorsHeaderBytesMax);
    requirePositive("safetensors-shard-count-max", safetensorsShardCountMax);
    requirePositive("tokenizer-json-bytes-max", tokenizerJsonBytesMax);
    requirePositive("json-bytes-max", jsonBytesMax);
    requirePositive("json-depth-max", jsonDepthMax);
    requirePositive("card-bytes-max", cardBytesMax);
  }

  /** Reads {@code stator.model-files}. */
  public static ModelFileLimits from(Config config) {
    return new ModelFileLimits(
        config.getBytes("gguf-header-bytes-max"),
        bytes(config, "gguf-string-bytes-max"),
        bytes(config, "gguf-name-bytes-max"),
        config.getInt("gguf-metadata-count-max"),
        config.getInt("gguf-array-depth-max"),
        config.getInt("tensor-count-max"),
        bytes(config, "safetensors-header-bytes-max"),
        config.getInt("safetensors-shard-count-max"),
        bytes(config, "tokenizer-json-bytes-max"),
        bytes(config, "json-bytes-max"),
        config.getInt("json-depth-max"),
        bytes(config, "card-bytes-max"));
  }

  /** What the configuration on the class path and the system properties say. */
  public static ModelFileLimits load() {
    return from(ConfigFactory.load().getConfig("stator.model-files"));
  }

  private static int bytes(Config config, String key) {
    final long value = config.getBytes(key);
    if (value > Integer.MAX_VALUE)
      throw new IllegalArgumentException(key + " must be below 2 GiB: " + value);
    return (int) value;
  }

  private static void requirePositive(String key, long value) {
    if (value <= 0) throw new IllegalArgumentException(key + " must be positive: " + value);
  }
}
