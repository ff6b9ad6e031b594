package dev.stator.model.file;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.AttentionVariant;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.FeedForwardVariant.Activation;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelConfig.RopeLayout;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ResidualVariant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads a model's shape from {@code config.json}, as the transformers library writes it. */
final class HuggingFaceShape {
  private static final double DEFAULT_ROPE_THETA = 10_000;

  // The transformers library's, where a Gemma file is silent.
  private static final double GEMMA3_ROPE_THETA = 1e6;
  private static final double GEMMA_QUERY_SCALAR = 256;
  private static final double GEMMA2_SCORE_CAP = 50;
  private static final double GEMMA2_LOGIT_CAP = 30;
  private static final double DEFAULT_RMS_NORM_EPSILON = 1e-6;
  private static final Set<String> SILU_NAMES = Set.of("silu", "swish");
  private static final String GELU_TANH = "gelu_pytorch_tanh";
  private static final String SLIDING_ATTENTION = "sliding_attention";
  private static final Set<String> LAYER_TYPES = Set.of("full_attention", SLIDING_ATTENTION);
  private static final List<String> EXPERT_COUNT_KEYS =
      List.of("num_local_experts", "num_experts", "n_routed_experts");

  private final JsonFields config;
  private final TensorSource tensors;
  private final Architecture architecture;
  private final TensorNames names;
  private final HuggingFaceRope rope;

  private HuggingFaceShape(JsonNode config, TensorSource tensors) {
    this.config = new JsonFields(config);
    this.tensors = tensors;
    this.architecture = Architecture.ofHuggingFace(this.config.requireString("model_type"));
    this.names = TensorNames.huggingFace(architecture, tensors);
    final boolean isGemma3 = architecture == Architecture.GEMMA3;
    this.rope = new HuggingFaceRope(this.config, isGemma3 ? GEMMA3_ROPE_THETA : DEFAULT_ROPE_THETA);
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
    final int layerCount = config.requireInt("num_hidden_layers");
    final int hiddenSize = config.requireInt("hidden_size");
    final int headCount = config.requireInt("num_attention_heads");
    final int whole =
        headCount > 0 ? hiddenSize / headCount : 0; // ModelConfig refuses what is not positive.
    final int headSize = config.int32("head_dim").orElse(whole);
    final int contextLength = config.requireInt("max_position_embeddings");
    final ModelConfig shape =
        new ModelConfig(
            architecture.huggingFaceName(),
            layerCount,
            hiddenSize,
            config.requireInt("intermediate_size"),
            headCount,
            config.int32("num_key_value_heads").orElse(headCount),
            headSize,
            config.requireInt("vocab_size"),
            contextLength,
            (float) config.number("rms_norm_eps").orElse(DEFAULT_RMS_NORM_EPSILON),
            rope.theta(),
            rope.scaling(),
            RopeLayout.HALVES,
            architecture.hasAttentionBias(isBiasPresent()),
            architecture.queryKeyNorm(),
            isTied(),
            new AttentionVariant(
                attentionScale(),
                softcap("attn_logit_softcapping", GEMMA2_SCORE_CAP),
                rotatedSize(headSize),
                window(layerCount, contextLength)),
            new FeedForwardVariant(architecture.activation(), experts()),
            residual(hiddenSize));
    return new ModelShape(shape, names, List.of());
  }

  private float attentionScale() {
    if (!architecture.isGemma()) return 0;
    return (float)
        (1 / Math.sqrt(config.number("query_pre_attn_scalar").orElse(GEMMA_QUERY_SCALAR)));
  }

  /** Absent is the family's own, {@code null} is none. */
  private float softcap(String key, double gemma2Default) {
    final boolean isSilent = architecture == Architecture.GEMMA2 && !config.object().has(key);
    return (float) config.number(key).orElse(isSilent ? gemma2Default : 0);
  }

  private int rotatedSize(int headSize) {
    final double part = rope.partialFactor();
    if (!(part > 0 && part <= 1)) {
      throw new ModelFormatException(
          "partial_rotary_factor is %s, expected more than 0 and at most 1".formatted(part));
    }
    return part == 1 ? 0 : (int) (headSize * part);
  }

  private AttentionVariant.Window window(int layerCount, int contextLength) {
    final boolean isSwitchedOn =
        config.flag("use_sliding_window").orElse(!architecture.needsSlidingWindowSwitch());
    final int length = isSwitchedOn ? config.int32("sliding_window").orElse(0) : 0;
    if (length <= 0) return null;
    final float theta =
        architecture == Architecture.GEMMA3 ? rope.windowTheta(DEFAULT_ROPE_THETA) : 0;
    return SlidingWindows.inForce(length, contextLength, windowedLayers(layerCount), theta);
  }

  private List<Boolean> windowedLayers(int layerCount) {
    final JsonNode types = config.object().path("layer_types");
    if (!types.isArray()) {
      return SlidingWindows.layers(
          architecture,
          layerCount,
          config.int32("max_window_layers").orElse(0),
          config.int32("sliding_window_pattern").orElse(SlidingWindows.GROUP));
    }
    for (JsonNode type : types) {
      if (!LAYER_TYPES.contains(type.asText())) {
        throw new ModelFormatException(
            "layer_types has %s, expected full_attention or sliding_attention"
                .formatted(Messages.quoted(type.asText())));
      }
    }
    return SlidingWindows.layers(
        types.size(), layer -> types.get(layer).asText().equals(SLIDING_ATTENTION));
  }

  private FeedForwardVariant.Experts experts() {
    final Optional<String> countKey =
        EXPERT_COUNT_KEYS.stream().filter(key -> config.int32(key).orElse(0) != 0).findFirst();
    if (countKey.isEmpty()) return null;
    final int count = config.requireInt(countKey.get());
    final boolean isMixtral = architecture == Architecture.MIXTRAL;
    final boolean isQwen =
        architecture == Architecture.QWEN2_MOE || architecture == Architecture.QWEN3_MOE;
    if (!isMixtral && !isQwen) {
      throw new ModelFormatException(
          "the %s model is a mixture of %d experts, which is not supported"
              .formatted(architecture.huggingFaceName(), count));
    }
    if (config.int32("decoder_sparse_step").orElse(1) != 1
        || !config.object().path("mlp_only_layers").isEmpty()) {
      throw new ModelFormatException("a mixture with dense layers in between is not supported");
    }
    return new FeedForwardVariant.Experts(
        count,
        config.requireInt("num_experts_per_tok"),
        config.requireInt(isMixtral ? "intermediate_size" : "moe_intermediate_size"),
        isMixtral || config.flag("norm_topk_prob").orElse(false),
        architecture == Architecture.QWEN2_MOE
            ? config.requireInt("shared_expert_intermediate_size")
            : 0);
  }

  private ResidualVariant residual(int hiddenSize) {
    final boolean isGemma = architecture.isGemma();
    return new ResidualVariant(
        isGemma ? (float) Math.sqrt(hiddenSize) : 1,
        architecture.hasOffsetNorms() ? 1 : 0,
        isGemma,
        softcap("final_logit_softcapping", GEMMA2_LOGIT_CAP));
  }

  private void refuseWhatIsNotSupported() {
    final String expected = architecture.activation() == Activation.SILU ? "silu" : GELU_TANH;
    final String activation =
        config.string("hidden_activation").or(() -> config.string("hidden_act")).orElse(expected);
    final boolean isKnown =
        expected.equals(GELU_TANH) ? activation.equals(GELU_TANH) : SILU_NAMES.contains(activation);
    if (!isKnown) {
      throw new ModelFormatException(
          "activation %s is not supported, expected %s"
              .formatted(Messages.quoted(activation), expected));
    }
    if (config.flag("use_bidirectional_attention").orElse(false)) {
      throw new ModelFormatException("attention to later tokens is not supported");
    }
    config.object("quantization_config").ifPresent(Fp8Tensors::requireReadable);
  }

  private boolean isBiasPresent() {
    return config.flag("attention_bias").orElse(false) || tensors.has(names.bias(0, names.query()));
  }

  /** A folder that does not say it ties its embeddings does so when it has no output head. */
  private boolean isTied() {
    return config.flag("tie_word_embeddings").orElseGet(() -> !tensors.has(names.outputHead()));
  }
}
