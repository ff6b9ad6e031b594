package dev.stator.model.file;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.ModelFormatException;
import dev.stator.model.RopeScaling;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What {@code config.json} says of rotary embedding. Newer files keep it in {@code
 * rope_parameters}, under {@code full_attention} and {@code sliding_attention} where the two
 * differ; older ones have {@code rope_theta} and {@code rope_scaling}.
 */
final class HuggingFaceRope {
  private final JsonFields config;
  private final Optional<JsonFields> parameters;
  private final double defaultTheta;

  /**
   * @param defaultTheta the family's base where the file is silent
   */
  HuggingFaceRope(JsonFields config, double defaultTheta) {
    this.config = config;
    this.defaultTheta = defaultTheta;
    final Optional<JsonFields> all = config.object("rope_parameters");
    final Optional<JsonFields> full = all.flatMap(rope -> rope.object("full_attention"));
    this.parameters = full.or(() -> all);
  }

  float theta() {
    return (float) number("rope_theta", defaultTheta);
  }

  /** The base in layers with a sliding window, for families where it is another one. */
  float windowTheta(double defaultWindowTheta) {
    final Optional<JsonFields> sliding =
        config.object("rope_parameters").flatMap(rope -> rope.object("sliding_attention"));
    return (float)
        sliding
            .map(rope -> rope.number("rope_theta"))
            .filter(OptionalDouble::isPresent)
            .orElseGet(() -> config.number("rope_local_base_freq"))
            .orElse(defaultWindowTheta);
  }

  /** The part of each head that is rotated. */
  double partialFactor() {
    return number("partial_rotary_factor", 1);
  }

  private double number(String key, double defaultValue) {
    return parameters
        .map(rope -> rope.number(key))
        .filter(OptionalDouble::isPresent)
        .orElseGet(() -> config.number(key))
        .orElse(defaultValue);
  }

  /**
   * @throws ModelFormatException when the kind is not supported or a value is wrong
   */
  RopeScaling scaling() {
    final Optional<JsonFields> fields = parameters.or(() -> config.object("rope_scaling"));
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
      case "yarn" -> yarn(rope);
      case "longrope", "su" -> longRope(rope);
      default ->
          throw new ModelFormatException(
              "rope scaling %s is not supported; supported are default, linear, llama3, yarn and longrope"
                  .formatted(Messages.quoted(type)));
    };
  }

  private RopeScaling yarn(JsonFields rope) {
    final int original = originalLength(rope);
    final double factor = factor(rope, original);
    final OptionalDouble mscale = rope.number("mscale");
    final OptionalDouble mscaleAll = rope.number("mscale_all_dim");
    final boolean hasBoth = mscale.orElse(0) != 0 && mscaleAll.orElse(0) != 0;
    final double inferred =
        hasBoth
            ? magnitude(factor, mscale.getAsDouble()) / magnitude(factor, mscaleAll.getAsDouble())
            : RopeScaling.Yarn.attentionFactor(factor);
    return new RopeScaling.Yarn(
        (float) factor,
        (float) rope.number("beta_fast").orElse(32),
        (float) rope.number("beta_slow").orElse(1),
        original,
        (float) rope.number("attention_factor").orElse(inferred),
        rope.flag("truncate").orElse(true));
  }

  private static double magnitude(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  }

  private RopeScaling longRope(JsonFields rope) {
    final int original = originalLength(rope);
    final double factor = factor(rope, original);
    return new RopeScaling.LongRope(
        divisors(rope, "short_factor"),
        divisors(rope, "long_factor"),
        original,
        (float)
            rope.number("attention_factor")
                .orElseGet(() -> RopeScaling.LongRope.attentionFactor(factor, original)));
  }

  /** The ratio of the model's context to the original one, unless the file says another. */
  private double factor(JsonFields rope, int originalLength) {
    return rope.number("factor")
        .orElseGet(() -> (double) config.requireInt("max_position_embeddings") / originalLength);
  }

  private int originalLength(JsonFields rope) {
    final String key = "original_max_position_embeddings";
    return rope.int32(key)
        .orElseGet(
            () -> config.int32(key).orElseGet(() -> config.requireInt("max_position_embeddings")));
  }

  private static float[] divisors(JsonFields rope, String key) {
    final JsonNode array = rope.object().path(key);
    if (!array.isArray()) {
      throw new ModelFormatException("there is no " + key + ", expected an array of numbers");
    }
    final float[] divisors = new float[array.size()];
    for (int i = 0; i < divisors.length; i++) {
      if (!array.get(i).isNumber()) {
        throw JsonFields.wrongType("an element of " + key, array.get(i), "a number");
      }
      divisors[i] = (float) array.get(i).doubleValue();
    }
    return divisors;
  }
}
