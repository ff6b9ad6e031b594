package dev.stator.model.file;

import dev.stator.model.FeedForwardVariant.Activation;
import dev.stator.model.ModelConfig.RopeLayout;
import dev.stator.model.ModelFormatException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The families of models that can be served, and how they differ. A further family is a further
 * line here, unless its layer computes something that {@link dev.stator.model.ModelConfig} cannot
 * say.
 */
enum Architecture {
  LLAMA("llama", "llama", RopeLayout.INTERLEAVED, WindowedLayers.ALL),
  MISTRAL("mistral", "mistral", RopeLayout.INTERLEAVED, WindowedLayers.ALL),
  /** In GGUF files a Llama with experts. */
  MIXTRAL(null, "mixtral", RopeLayout.INTERLEAVED, WindowedLayers.ALL, Trait.RENORMALISED),
  QWEN2(
      "qwen2",
      "qwen2",
      RopeLayout.HALVES,
      WindowedLayers.FROM_MAX_WINDOW_LAYERS,
      Trait.BIASED,
      Trait.WINDOW_SWITCH),
  QWEN3(
      "qwen3",
      "qwen3",
      RopeLayout.HALVES,
      WindowedLayers.FROM_MAX_WINDOW_LAYERS,
      Trait.HEAD_NORMS,
      Trait.WINDOW_SWITCH),
  QWEN2_MOE(
      "qwen2moe",
      "qwen2_moe",
      RopeLayout.HALVES,
      WindowedLayers.FROM_MAX_WINDOW_LAYERS,
      Trait.BIASED,
      Trait.WINDOW_SWITCH),
  QWEN3_MOE(
      "qwen3moe",
      "qwen3_moe",
      RopeLayout.HALVES,
      WindowedLayers.ALL,
      Trait.HEAD_NORMS,
      Trait.WINDOW_SWITCH,
      Trait.RENORMALISED),
  GEMMA2("gemma2", "gemma2", RopeLayout.HALVES, WindowedLayers.EVERY_SECOND, Trait.GEMMA),
  GEMMA3(
      "gemma3",
      "gemma3_text",
      RopeLayout.HALVES,
      WindowedLayers.ALL_BUT_EVERY_SIXTH,
      Trait.GEMMA,
      Trait.HEAD_NORMS),
  PHI3("phi3", "phi3", RopeLayout.HALVES, WindowedLayers.ALL);

  /** Which layers a sliding window is for, where the file does not say. */
  enum WindowedLayers {
    ALL,
    /** The first, the third and so on. */
    EVERY_SECOND,
    /** Five, then one that sees everything. */
    ALL_BUT_EVERY_SIXTH,
    /** From the configuration's {@code max_window_layers} on. */
    FROM_MAX_WINDOW_LAYERS
  }

  private enum Trait {
    /** Query, key and value projections always have biases. */
    BIASED,
    /** Each query and key head is normalised. */
    HEAD_NORMS,
    /** A Hugging Face configuration's sliding window is in force with a switch of its own only. */
    WINDOW_SWITCH,
    /** The shares of a GGUF file's chosen experts are scaled to a sum of 1. */
    RENORMALISED,
    /** GELU, scaled embeddings, norms after attention and feed-forward layer. */
    GEMMA
  }

  private final String ggufName;
  private final String huggingFaceName;
  private final RopeLayout ggufRopeLayout;
  private final WindowedLayers windowedLayers;
  private final Set<Trait> traits = EnumSet.noneOf(Trait.class);

  Architecture(
      String ggufName,
      String huggingFaceName,
      RopeLayout ggufRopeLayout,
      WindowedLayers windowedLayers,
      Trait... traits) {
    this.ggufName = ggufName;
    this.huggingFaceName = huggingFaceName;
    this.ggufRopeLayout = ggufRopeLayout;
    this.windowedLayers = windowedLayers;
    this.traits.addAll(Arrays.asList(traits));
  }

  /**
   * The family that GGUF's {@code general.architecture} names.
   *
   * @throws ModelFormatException when it is none of these
   */
  static Architecture ofGguf(String name) {
    return of(name, architecture -> architecture.ggufName);
  }

  /**
   * The family that Hugging Face's {@code model_type} names.
   *
   * @throws ModelFormatException when it is none of these
   */
  static Architecture ofHuggingFace(String name) {
    return of(name, architecture -> architecture.huggingFaceName);
  }

  private static Architecture of(String name, Function<Architecture, String> nameOf) {
    for (Architecture architecture : values()) {
      if (name.equals(nameOf.apply(architecture))) return architecture;
    }
    throw new ModelFormatException(
        "architecture %s is not supported; supported are %s"
            .formatted(
                Messages.quoted(name),
                Arrays.stream(values())
                    .map(nameOf)
                    .filter(Objects::nonNull)
                    .collect(Collectors.joining(", "))));
  }

  String ggufName() {
    return ggufName;
  }

  String huggingFaceName() {
    return huggingFaceName;
  }

  /**
   * How GGUF files of this family order the rows of query and key; Hugging Face files always have
   * halves.
   */
  RopeLayout ggufRopeLayout() {
    return ggufRopeLayout;
  }

  boolean hasAttentionBias(boolean isPresent) {
    return traits.contains(Trait.BIASED) || isPresent;
  }

  boolean queryKeyNorm() {
    return traits.contains(Trait.HEAD_NORMS);
  }

  boolean needsSlidingWindowSwitch() {
    return traits.contains(Trait.WINDOW_SWITCH);
  }

  WindowedLayers windowedLayers() {
    return windowedLayers;
  }

  /** Whether the shares of a GGUF file's chosen experts are scaled; Mixtral is a Llama there. */
  boolean renormalisesGgufExperts() {
    return this == LLAMA || traits.contains(Trait.RENORMALISED);
  }

  /** Whether embeddings are scaled, and the outputs of the parts of a layer normalised. */
  boolean isGemma() {
    return traits.contains(Trait.GEMMA);
  }

  Activation activation() {
    return isGemma() ? Activation.GELU_TANH : Activation.SILU;
  }

  /** Norms that Hugging Face files hold less 1. */
  boolean hasOffsetNorms() {
    return isGemma();
  }
}
