package dev.stator.model.file;

import dev.stator.model.ModelConfig.RopeLayout;
import dev.stator.model.ModelFormatException;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * The families of models that can be served, and how they differ. A further dense family is a
 * further line here, unless its layer computes something that {@link dev.stator.model.ModelConfig}
 * cannot say.
 */
enum Architecture {
  //                 GGUF's layout           biases                         q/k norm  sliding window
  LLAMA(
      "llama",
      RopeLayout.INTERLEAVED,
      AttentionBias.WHERE_PRESENT,
      false,
      SlidingWindow.WHERE_GIVEN),
  MISTRAL(
      "mistral",
      RopeLayout.INTERLEAVED,
      AttentionBias.WHERE_PRESENT,
      false,
      SlidingWindow.WHERE_GIVEN),
  QWEN2("qwen2", RopeLayout.HALVES, AttentionBias.ALWAYS, false, SlidingWindow.WHERE_SWITCHED_ON),
  QWEN3(
      "qwen3",
      RopeLayout.HALVES,
      AttentionBias.WHERE_PRESENT,
      true,
      SlidingWindow.WHERE_SWITCHED_ON);

  /** Whether query, key and value projections have biases. */
  enum AttentionBias {
    ALWAYS,
    /** When the first layer has one, or the configuration says so. */
    WHERE_PRESENT
  }

  /** When a Hugging Face configuration's {@code sliding_window} is in force. */
  enum SlidingWindow {
    WHERE_GIVEN,
    /** Only with {@code use_sliding_window}. */
    WHERE_SWITCHED_ON
  }

  private final String fileName;
  private final RopeLayout ggufRopeLayout;
  private final AttentionBias attentionBias;
  private final boolean queryKeyNorm;
  private final SlidingWindow slidingWindow;

  Architecture(
      String fileName,
      RopeLayout ggufRopeLayout,
      AttentionBias attentionBias,
      boolean queryKeyNorm,
      SlidingWindow slidingWindow) {
    this.fileName = fileName;
    this.ggufRopeLayout = ggufRopeLayout;
    this.attentionBias = attentionBias;
    this.queryKeyNorm = queryKeyNorm;
    this.slidingWindow = slidingWindow;
  }

  /**
   * The family that a file names: GGUF's {@code general.architecture}, Hugging Face's {@code
   * model_type}.
   *
   * @throws ModelFormatException when it is none of these
   */
  static Architecture of(String fileName) {
    for (Architecture architecture : values()) {
      if (architecture.fileName.equals(fileName)) return architecture;
    }
    throw new ModelFormatException(
        "architecture %s is not supported; supported are %s"
            .formatted(
                Messages.quoted(fileName),
                Arrays.stream(values())
                    .map(Architecture::fileName)
                    .collect(Collectors.joining(", "))));
  }

  String fileName() {
    return fileName;
  }

  /**
   * How GGUF files of this family order the rows of query and key; Hugging Face files always have
   * halves.
   */
  RopeLayout ggufRopeLayout() {
    return ggufRopeLayout;
  }

  boolean hasAttentionBias(boolean isPresent) {
    return attentionBias == AttentionBias.ALWAYS || isPresent;
  }

  boolean queryKeyNorm() {
    return queryKeyNorm;
  }

  boolean needsSlidingWindowSwitch() {
    return slidingWindow == SlidingWindow.WHERE_SWITCHED_ON;
  }
}
