package dev.stator.model.file;

import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;

/** Reads a model's shape from GGUF metadata. Keys: {@code docs/gguf.md} of the ggml project. */
final class GgufShape {
  private static final float DEFAULT_ROPE_THETA = 10_000;

  private final GgufFile file;
  private final GgufMetadata metadata;
  private final Architecture architecture;

  private GgufShape(GgufFile file) {
    this.file = file;
    this.metadata = file.metadata();
    this.architecture = Architecture.of(metadata.requireString("general.architecture"));
  }

  /**
   * @throws ModelFormatException when a key is missing or wrong, or the model is of a kind that is
   *     not supported
   */
  static ModelShape read(GgufFile file) {
    return new GgufShape(file).read();
  }

  private ModelShape read() {
    refuseWhatIsNoDenseModel();
    final int hiddenSize = requireInt("embedding_length");
    final int headCount = requireInt("attention.head_count");
    final int headSize = headSize(hiddenSize, headCount);
    final ModelConfig config =
        new ModelConfig(
            architecture.fileName(),
            requireInt("block_count"),
            hiddenSize,
            requireInt("feed_forward_length"),
            headCount,
            optionalInt("attention.head_count_kv", headCount),
            headSize,
            vocabularySize(),
            requireInt("context_length"),
            (float) metadata.requireFloat(key("attention.layer_norm_rms_epsilon")),
            (float) metadata.floating(key("rope.freq_base")).orElse(DEFAULT_ROPE_THETA),
            ropeScaling(headSize),
            architecture.ggufRopeLayout(),
            architecture.hasAttentionBias(
                file.has(TensorNames.GGUF.bias(0, TensorNames.GGUF.query()))),
            architecture.queryKeyNorm(),
            !file.has(TensorNames.GGUF.outputHead()));
    return ModelShape.of(config, optionalInt("attention.sliding_window", 0));
  }

  private void refuseWhatIsNoDenseModel() {
    final String type = metadata.string("general.type").orElse("model");
    if (!type.equals("model")) {
      throw new ModelFormatException(
          "the file holds a %s, expected a model".formatted(Messages.quoted(type)));
    }
    if (metadata.int32("split.count").orElse(1) > 1) {
      throw new ModelFormatException(
          "the file is one of %d parts; join them with llama-gguf-split --merge"
              .formatted(metadata.requireInt("split.count")));
    }
    final int expertCount = optionalInt("expert_count", 0);
    if (expertCount != 0) {
      throw new ModelFormatException(
          "the model is a mixture of %d experts, which is not supported".formatted(expertCount));
    }
  }

  private int headSize(int hiddenSize, int headCount) {
    final int whole =
        headCount > 0 ? hiddenSize / headCount : 0; // ModelConfig refuses what is not positive.
    final int headSize = optionalInt("attention.key_length", whole);
    final int valueLength = optionalInt("attention.value_length", headSize);
    if (valueLength != headSize) {
      throw new ModelFormatException(
          "keys have %d values a head and values %d, expected as many"
              .formatted(headSize, valueLength));
    }
    final int rotated = optionalInt("rope.dimension_count", headSize);
    if (rotated != headSize) {
      throw new ModelFormatException(
          "%d of %d values of a head are rotated; partial rotary embedding is not supported"
              .formatted(rotated, headSize));
    }
    return headSize;
  }

  private int vocabularySize() {
    return metadata
        .int32(key("vocab_size"))
        .orElseGet(() -> metadata.arrayLength("tokenizer.ggml.tokens"));
  }

  private RopeScaling ropeScaling(int headSize) {
    final String type = metadata.string(key("rope.scaling.type")).orElse("linear");
    final double given =
        metadata
            .floating(key("rope.scaling.factor"))
            .orElseGet(() -> metadata.floating(key("rope.scale_linear")).orElse(0));
    final float factor =
        switch (type) {
          case "none" -> 1;
          case "linear" -> given == 0 ? 1 : (float) given; // llama.cpp writes 0 for no scaling.
          default ->
              throw new ModelFormatException(
                  "rope scaling %s is not supported; supported are none, linear and %s"
                      .formatted(Messages.quoted(type), TensorNames.ROPE_DIVISORS));
        };
    if (file.has(TensorNames.ROPE_DIVISORS)) return perPair(headSize, factor);
    return factor == 1 ? new RopeScaling.None() : new RopeScaling.Linear(factor);
  }

  /** The file's divisors; a linear factor applies on top of them. */
  private RopeScaling perPair(int headSize, float factor) {
    final WeightMatrix matrix = file.matrix(TensorNames.ROPE_DIVISORS);
    if (matrix.rowCount() != 1 || matrix.columnCount() != headSize / 2) {
      throw new ModelFormatException(
          "tensor %s has shape %d x %d, expected 1 x %d"
              .formatted(
                  TensorNames.ROPE_DIVISORS,
                  matrix.rowCount(),
                  matrix.columnCount(),
                  headSize / 2));
    }
    final float[] divisors = WeightDecoder.row(matrix, 0);
    for (int i = 0; i < divisors.length; i++) divisors[i] *= factor;
    return new RopeScaling.PerPair(divisors);
  }

  private String key(String suffix) {
    return architecture.fileName() + "." + suffix;
  }

  private int requireInt(String suffix) {
    return metadata.requireInt(key(suffix));
  }

  private int optionalInt(String suffix, int defaultValue) {
    return metadata.int32(key(suffix)).orElse(defaultValue);
  }
}
