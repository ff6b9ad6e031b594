package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.stator.engine.SamplingParams;
import dev.stator.model.GenerationDefaults;
import dev.stator.request.ServedModel;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a request says of sampling; where it is silent, the model's defaults hold, then OpenAI's.
 *
 * @param logprobs whether each token carries its log-probability
 * @param topLogprobs alternatives a token
 */
record SamplingRequest(
    OptionalDouble temperature,
    OptionalInt topK,
    OptionalDouble topP,
    OptionalDouble minP,
    OptionalDouble repetitionPenalty,
    OptionalDouble presencePenalty,
    OptionalDouble frequencyPenalty,
    Map<Integer, Float> logitBias,
    OptionalLong seed,
    OptionalInt maxTokens,
    int minTokens,
    Set<Integer> stopTokenIds,
    boolean ignoreEnd,
    boolean logprobs,
    int topLogprobs) {
  private static final double TEMPERATURE_MAX = 2;
  private static final double PENALTY_MAX = 2;
  private static final double REPETITION_PENALTY_MAX = 10;
  private static final double BIAS_MAX = 100;

  /** A temperature below this would overflow what it divides; it means the likeliest token. */
  private static final double TEMPERATURE_MIN = 1e-5;

  /** Positive numbers below this would vanish in a {@code float}. */
  private static final double POSITIVE_MIN = 1e-6;

  SamplingRequest {
    logitBias = Map.copyOf(logitBias);
    stopTokenIds = Set.copyOf(stopTokenIds);
  }

  /**
   * Reads the fields that both APIs share.
   *
   * @param maxTokens from the API's own field
   * @param topLogprobs from the API's own field; empty for no log-probabilities at all
   */
  static SamplingRequest parse(
      JsonFields fields,
      ServedModel model,
      RequestLimits limits,
      OptionalInt maxTokens,
      OptionalInt topLogprobs) {
    int vocabularySize = model.tokenizer().vocabularySize();
    int minTokens = fields.integer("min_tokens", 0, Integer.MAX_VALUE).orElse(0);
    if (maxTokens.isPresent() && minTokens > maxTokens.getAsInt()) {
      String atMost = "at most max_tokens (" + maxTokens.getAsInt() + ")";
      throw new ApiException(ApiError.wrongValue(fields.path("min_tokens"), atMost, minTokens));
    }
    return new SamplingRequest(
        fields.number("temperature", 0, TEMPERATURE_MAX),
        topK(fields),
        fields.positive("top_p", 1),
        fields.number("min_p", 0, 1),
        fields.positive("repetition_penalty", REPETITION_PENALTY_MAX),
        fields.number("presence_penalty", -PENALTY_MAX, PENALTY_MAX),
        fields.number("frequency_penalty", -PENALTY_MAX, PENALTY_MAX),
        logitBias(fields, vocabularySize, limits.logitBiasMax()),
        fields.integer64("seed"),
        maxTokens,
        minTokens,
        stopTokenIds(fields, vocabularySize, limits.stopTokenIdsMax()),
        fields.flag("ignore_eos", false),
        topLogprobs.isPresent(),
        topLogprobs.orElse(0));
  }

  /**
   * The parameters of a generation.
   *
   * @param room tokens between the prompt's end and the context's; at least 1. A larger {@code
   *     max_tokens} is cut to it
   * @param randomSeed for a request without one
   * @param form what the answer must look like
   */
  SamplingParams toParams(GenerationDefaults defaults, int room, long randomSeed, AnswerForm form) {
    double warmth = temperature.orElse(defaults.temperature().orElse(1));
    int longest = Math.min(maxTokens.orElse(room), room);
    return new SamplingParams(
        warmth < TEMPERATURE_MIN ? 0 : (float) warmth,
        topK.orElse(defaults.topK().orElse(0)),
        (float) Math.max(POSITIVE_MIN, topP.orElse(defaults.topP().orElse(1))),
        (float) minP.orElse(0),
        (float) Math.max(POSITIVE_MIN, repetitionPenalty.orElse(1)),
        (float) presencePenalty.orElse(0),
        (float) frequencyPenalty.orElse(0),
        logitBias,
        seed.orElse(randomSeed),
        longest,
        Math.min(minTokens, longest),
        stopTokenIds,
        ignoreEnd,
        logprobs,
        topLogprobs,
        form.text());
  }

  /** Both -1 and 0 mean all, as with others who take this field. */
  private static OptionalInt topK(JsonFields fields) {
    OptionalInt topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
    return topK.isPresent() ? OptionalInt.of(Math.max(0, topK.getAsInt())) : topK;
  }

  private static Map<Integer, Float> logitBias(JsonFields fields, int vocabularySize, int max) {
    JsonFields biases = fields.object("logit_bias").orElse(null);
    if (biases == null) return Map.of();
    String path = fields.path("logit_bias");
    JsonFields.checkLength(biases.node(), path, max);
    Map<Integer, Float> parsed = new HashMap<>();
    for (Map.Entry<String, JsonNode> bias : biases.node().properties()) {
      int tokenId = tokenId(bias.getKey(), path, vocabularySize);
      String place = path + "." + tokenId;
      parsed.put(tokenId, (float) JsonFields.number(bias.getValue(), place, -BIAS_MAX, BIAS_MAX));
    }
    return parsed;
  }

  private static int tokenId(String text, String path, int vocabularySize) {
    try {
      int tokenId = Integer.parseInt(text);
      if (tokenId >= 0 && tokenId < vocabularySize) return tokenId;
    } catch (NumberFormatException notANumber) {
      // The answer below covers it.
    }
    String expected = "an object whose names are token ids from 0 to " + (vocabularySize - 1);
    throw new ApiException(ApiError.wrongValue(path, expected, text));
  }

  private static Set<Integer> stopTokenIds(JsonFields fields, int vocabularySize, int max) {
    ArrayNode ids = fields.array("stop_token_ids", max);
    if (ids == null) return Set.of();
    Set<Integer> parsed = new HashSet<>();
    for (int index = 0; index < ids.size(); index++) {
      String place = fields.path("stop_token_ids") + "[" + index + "]";
      parsed.add(JsonFields.integer(ids.get(index), place, 0, vocabularySize - 1));
    }
    return parsed;
  }
}
