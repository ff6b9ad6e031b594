package dev.stator.model.file;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelConfig.RopeLayout;
import dev.stator.model.ModelFormatException;
import dev.stator.model.RopeScaling;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads a model's shape from {@code config.json}, as the transformers library writes it. */
final class HuggingFaceShape {
  private static final double DEFAULT_ROPE_THETA = 10_000;
  private static final double DEFAULT_RMS_NORM_EPSILON = 1e-6;
  private static final Set<String> SILU_NAMES = Set.of("silu", "swish");
  private static final List<String> EXPERT_COUNT_KEYS =
      List.of("num_local_experts", "num_experts", "n_routed_experts");

  private final JsonFields config;
  private final TensorSource tensors;
  private final Architecture architecture;

  private HuggingFaceShape(JsonNode config, TensorSource tensors) {
    this.config = new JsonFields(config);
    this.tensors = tensors;
    this.architecture = Architecture.of(this.config.requireString("model_type"));
  }

  /**
   * @throws ModelFormatException when a field is missing or wrong, or the model is of a kind that
   *     is not supported
   */
  static ModelShape read(JsonNode config, TensorSource tensors) {
    return new HuggingFaceShape(config, tensors).read();
  }

  private ModelShape read() {
    refuseWhatIsNotSupported();
    final int hiddenSize = config.requireInt("hidden_size");
    final int headCount = config.requireInt("num_attention_heads");
    final int whole =
        headCount > 0 ? hiddenSize / headCount : 0; // ModelConfig refuses what is not positive.
    final ModelConfig shape =
        new ModelConfig(
            architecture.fileName(),
            config.requireInt("num_hidden_layers"),
            hiddenSize,
            config.requireInt("intermediate_size"),
            headCount,
            config.int32("num_key_value_heads").orElse(headCount),
            config.int32("head_dim").orElse(whole),
            config.requireInt("vocab_size"),
            config.requireInt("max_position_embeddings"),
            (float) config.number("rms_norm_eps").orElse(DEFAULT_RMS_NORM_EPSILON),
            ropeTheta(),
            ropeScaling(),
            RopeLayout.HALVES,
            architecture.hasAttentionBias(isBiasPresent()),
            architecture.queryKeyNorm(),
            isTied());
    return ModelShape.of(shape, slidingWindow());
  }

  private void refuseWhatIsNotSupported() {
    final String activation = config.string("hidden_act").orElse("silu");
    if (!SILU_NAMES.contains(activation)) {
      throw new ModelFormatException(
          "activation %s is not supported, expected silu".formatted(Messages.quoted(activation)));
    }
    for (String key : EXPERT_COUNT_KEYS) {
      if (config.int32(key).orElse(0) != 0) {
        throw new ModelFormatException(
            "the model is a mixture of %d experts, which is not supported"
                .formatted(config.requireInt(key)));
      }
    }
    final double rotated = ropeNumber("partial_rotary_factor", 1);
    if (rotated != 1) {
      throw new ModelFormatException(
          "partial_rotary_factor is %s; partial rotary embedding is not supported"
              .formatted(rotated));
    }
    config
        .object("quantization_config")
        .ifPresent(quantization -> {
          throw new ModelFormatException(
              "the weights are quantized by %s, expected plain BF16, F16 or F32"
                  .formatted(
                      Messages.quoted(
                          quantization.string("quant_method").orElse("an unnamed method"))));
        });
  }

  private boolean isBiasPresent() {
    return config.flag("attention_bias").orElse(false)
        || tensors.has(TensorNames.HUGGING_FACE.bias(0, TensorNames.HUGGING_FACE.query()));
  }

  /** A folder that does not say it ties its embeddings does so when it has no output head. */
  private boolean isTied() {
    return config
        .flag("tie_word_embeddings")
        .orElseGet(() -> !tensors.has(TensorNames.HUGGING_FACE.outputHead()));
  }

  private int slidingWindow() {
    if (!config.flag("use_sliding_window").orElse(!architecture.needsSlidingWindowSwitch()))
      return 0;
    return config.int32("sliding_window").orElse(0);
  }

  private float ropeTheta() {
    return (float) ropeNumber("rope_theta", DEFAULT_ROPE_THETA);
  }

  /**
   * Newer files keep what concerns rotary embedding in {@code rope_parameters}, older ones beside
   * it.
   */
  private double ropeNumber(String key, double defaultValue) {
    return config
        .object("rope_parameters")
        .map(rope -> rope.number(key))
        .filter(number -> number.isPresent())
        .orElseGet(() -> config.number(key))
        .orElse(defaultValue);
  }

  private RopeScaling ropeScaling() {
    final Optional<JsonFields> fields =
        config.object("rope_parameters").or(() -> config.object("rope_scaling"));
    if (fields.isEmpty()) return new RopeScaling.None();
    final JsonFields rope = fields.get();
    final String type = rope.string("rope_type").or(() -> rope.string("type")).orElse("default");
    return switch (type) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear((float) rope.requireNumber("factor"));
      case "llama3" ->
          new RopeScaling.Llama3(
              (float) rope.requireNumber("factor"),
              (float) rope.requireNumber("low_freq_factor"),
              (float) rope.requireNumber("high_freq_factor"),
              rope.requireInt("original_max_position_embeddings"));
      default ->
          throw new ModelFormatException(
              "rope scaling %s is not supported; supported are default, linear and llama3"
                  .formatted(Messages.quoted(type)));
    };
  }
}
