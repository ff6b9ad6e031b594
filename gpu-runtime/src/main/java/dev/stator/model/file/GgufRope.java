package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;

/** How a GGUF file stretches rotary frequencies, by its metadata and by tensors of divisors. */
final class GgufRope {
  private final GgufFile file;
  private final GgufMetadata metadata;
  private final String prefix;
  private final int rotatedSize;

  /**
   * @param architecture stands before the keys
   * @param rotatedSize values of a head that are rotated
   */
  GgufRope(GgufFile file, String architecture, int rotatedSize) {
    this.file = file;
    this.metadata = file.metadata();
    this.prefix = architecture + ".rope.";
    this.rotatedSize = rotatedSize;
  }

  /**
   * @throws ModelFormatException when the kind is not supported or a value is wrong
   */
  RopeScaling scaling() {
    final String type = metadata.string(prefix + "scaling.type").orElse("linear");
    final double given =
        metadata
            .floating(prefix + "scaling.factor")
            .orElseGet(() -> metadata.floating(prefix + "scale_linear").orElse(0));
    final float factor = given == 0 ? 1 : (float) given; // llama.cpp writes 0 for no scaling.
    if (file.has(TensorNames.LONG_ROPE_DIVISORS)) return longRope();
    return switch (type) {
      case "none" -> divided(1);
      case "linear" -> divided(factor);
      case "yarn" -> yarn(factor);
      default ->
          throw new ModelFormatException(
              "rope scaling %s is not supported; supported are none, linear, yarn, %s and %s"
                  .formatted(
                      Messages.quoted(type),
                      TensorNames.ROPE_DIVISORS,
                      TensorNames.LONG_ROPE_DIVISORS));
    };
  }

  /** By a factor, on top of the file's divisors where it has them. */
  private RopeScaling divided(float factor) {
    if (!file.has(TensorNames.ROPE_DIVISORS)) {
      return factor == 1 ? new RopeScaling.None() : new RopeScaling.Linear(factor);
    }
    final float[] divisors = divisors(TensorNames.ROPE_DIVISORS);
    for (int i = 0; i < divisors.length; i++) divisors[i] *= factor;
    return new RopeScaling.PerPair(divisors);
  }

  private RopeScaling yarn(float factor) {
    if (file.has(TensorNames.ROPE_DIVISORS)) {
      throw new ModelFormatException(
          "rope scaling 'yarn' together with " + TensorNames.ROPE_DIVISORS + " is not supported");
    }
    if (number("scaling.yarn_ext_factor", 1) != 1) {
      throw new ModelFormatException(
          "%sscaling.yarn_ext_factor is %s, expected 1"
              .formatted(prefix, number("scaling.yarn_ext_factor", 1)));
    }
    return new RopeScaling.Yarn(
        factor,
        number("scaling.yarn_beta_fast", 32),
        number("scaling.yarn_beta_slow", 1),
        metadata.requireInt(prefix + "scaling.original_context_length"),
        RopeScaling.Yarn.attentionFactor(factor) * number("scaling.attn_factor", 1),
        true);
  }

  private RopeScaling longRope() {
    return new RopeScaling.LongRope(
        divisors(TensorNames.SHORT_ROPE_DIVISORS),
        divisors(TensorNames.LONG_ROPE_DIVISORS),
        metadata.requireInt(prefix + "scaling.original_context_length"),
        number("scaling.attn_factor", 1));
  }

  private float[] divisors(String name) {
    final WeightMatrix matrix = file.matrix(name);
    if (matrix.rowCount() != 1 || matrix.columnCount() != rotatedSize / 2) {
      throw new ModelFormatException(
          "tensor %s has shape %d x %d, expected 1 x %d"
              .formatted(name, matrix.rowCount(), matrix.columnCount(), rotatedSize / 2));
    }
    return WeightDecoder.row(matrix, 0);
  }

  private float number(String suffix, float defaultValue) {
    return (float) metadata.floating(prefix + suffix).orElse(defaultValue);
  }
}
