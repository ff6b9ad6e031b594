package dev.stator.model.file;

import dev.stator.model.AttentionVariant;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ResidualVariant;
import java.util.List;

/** Reads a model's shape from GGUF metadata. Keys: {@code docs/gguf.md} of the ggml project. */
final class GgufShape {
  private static final float DEFAULT_ROPE_THETA = 10_000;

  // What llama.cpp takes where a Gemma file is silent.
  private static final float GEMMA2_SCORE_CAP = 50;
  private static final float GEMMA2_LOGIT_CAP = 30;
  private static final int GEMMA2_WINDOW = 4096;
  private static final int GEMMA2_27B_LAYERS = 46;
  private static final int GEMMA3_27B_LAYERS = 62;

  private final GgufFile file;
  private final GgufMetadata metadata;
  private final Architecture architecture;

  private GgufShape(GgufFile file) {
    this.file = file;
    this.metadata = file.metadata();
    this.architecture = Architecture.ofGguf(metadata.requireString("general.architecture"));
  }

  /**
   * @throws ModelFormatException when a key is missing or wrong, or the model is of a kind that is
   *     not supported
   */
  static ModelShape read(GgufFile file) {
    return new GgufShape(file).read();
  }

  private ModelShape read() {
    refuseWhatIsNoModel();
    final int layerCount = requireInt("block_count");
    final int hiddenSize = requireInt("embedding_length");
    final int headCount = requireInt("attention.head_count");
    final int headSize = headSize(hiddenSize, headCount);
    final int contextLength = requireInt("context_length");
    final int rotatedSize = optionalInt("rope.dimension_count", headSize);
    final ModelConfig config =
        new ModelConfig(
            architecture.ggufName(),
            layerCount,
            hiddenSize,
            requireInt("feed_forward_length"),
            headCount,
            optionalInt("attention.head_count_kv", headCount),
            headSize,
            vocabularySize(),
            contextLength,
            (float) metadata.requireFloat(key("attention.layer_norm_rms_epsilon")),
            optionalFloat("rope.freq_base", DEFAULT_ROPE_THETA),
            new GgufRope(file, architecture.ggufName(), rotatedSize).scaling(),
            architecture.ggufRopeLayout(),
            architecture.hasAttentionBias(
                file.has(TensorNames.GGUF.bias(0, TensorNames.GGUF.query()))),
            architecture.queryKeyNorm(),
            !file.has(TensorNames.GGUF.outputHead()),
            new AttentionVariant(
                attentionScale(layerCount, hiddenSize, headCount),
                softcap("attn_logit_softcapping", GEMMA2_SCORE_CAP),
                rotatedSize == headSize ? 0 : rotatedSize,
                window(layerCount, contextLength)),
            new FeedForwardVariant(architecture.activation(), experts()),
            residual(hiddenSize));
    return new ModelShape(config, TensorNames.GGUF, List.of());
  }

  private void refuseWhatIsNoModel() {
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
  }

  /** The largest Gemmas scale scores by the width of the residual stream; no key says so. */
  private float attentionScale(int layerCount, int hiddenSize, int headCount) {
    final float given = optionalFloat("attention.scale", 0);
    final boolean isGemma27b =
        architecture == Architecture.GEMMA2 && layerCount == GEMMA2_27B_LAYERS
            || architecture == Architecture.GEMMA3 && layerCount == GEMMA3_27B_LAYERS;
    if (given != 0 || !isGemma27b || headCount <= 0) return given;
    return (float) (1 / Math.sqrt((double) hiddenSize / headCount));
  }

  private float softcap(String suffix, float gemma2Default) {
    return optionalFloat(suffix, architecture == Architecture.GEMMA2 ? gemma2Default : 0);
  }

  private AttentionVariant.Window window(int layerCount, int contextLength) {
    final boolean isGemma2 = architecture == Architecture.GEMMA2;
    final boolean isGemma3 = architecture == Architecture.GEMMA3;
    final int length = optionalInt("attention.sliding_window", isGemma2 ? GEMMA2_WINDOW : 0);
    if (length <= 0) return null;
    final List<Boolean> layers =
        SlidingWindows.layers(architecture, layerCount, 0, SlidingWindows.GROUP);
    final float theta = isGemma3 ? optionalFloat("rope.freq_base_swa", DEFAULT_ROPE_THETA) : 0;
    return SlidingWindows.inForce(length, contextLength, layers, theta);
  }

  private FeedForwardVariant.Experts experts() {
    final int count = optionalInt("expert_count", 0);
    if (count == 0) return null;
    return new FeedForwardVariant.Experts(
        count,
        requireInt("expert_used_count"),
        optionalInt("expert_feed_forward_length", requireInt("feed_forward_length")),
        architecture.renormalisesGgufExperts(),
        sharedExpertSize());
  }

  private int sharedExpertSize() {
    final String up = TensorNames.GGUF.weight(0, TensorNames.GGUF.experts().sharedUp());
    return file.has(up)
        ? optionalInt("expert_shared_feed_forward_length", file.matrix(up).rowCount())
        : 0;
  }

  private ResidualVariant residual(int hiddenSize) {
    return new ResidualVariant(
        architecture.isGemma() ? (float) Math.sqrt(hiddenSize) : 1,
        0,
        architecture.isGemma(),
        softcap("final_logit_softcapping", GEMMA2_LOGIT_CAP));
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
    return headSize;
  }

  private int vocabularySize() {
    return metadata
        .int32(key("vocab_size"))
        .orElseGet(() -> metadata.arrayLength("tokenizer.ggml.tokens"));
  }

  private String key(String suffix) {
    return architecture.ggufName() + "." + suffix;
  }

  private int requireInt(String suffix) {
    return metadata.requireInt(key(suffix));
  }

  private int optionalInt(String suffix, int defaultValue) {
    return metadata.int32(key(suffix)).orElse(defaultValue);
  }

  private float optionalFloat(String suffix, float defaultValue) {
    return (float) metadata.floating(key(suffix)).orElse(defaultValue);
  }
}
