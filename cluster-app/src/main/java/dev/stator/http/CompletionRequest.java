package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.stator.request.ServedModel;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A checked body of {@code POST /v1/completions}.
 *
 * @param prompts at least one
 * @param echo whether answers begin with their prompt's text
 */
record CompletionRequest(
    ServedModel model,
    List<Prompt> prompts,
    boolean echo,
    GenerationOptions options,
    SamplingRequest sampling) {

  /** One prompt, with its place in the body. */
  sealed interface Prompt {
    String path();

    /** Text, to be tokenized. */
    record Text(String path, String text) implements Prompt {}

    /** Token ids, each in the vocabulary; owned by the record. */
    record Tokens(String path, int[] ids) implements Prompt {}
  }

  CompletionRequest {
    prompts = List.copyOf(prompts);
  }

  /** Reads the body's fields; a fault is an {@link ApiException}. */
  static CompletionRequest parse(JsonFields fields, ServedModel model, RequestLimits limits) {
    if (!fields.text("suffix").orElse("").isEmpty()) {
      throw new ApiException(ApiError.unsupported("suffix", "'suffix' is not supported."));
    }
    GenerationOptions options = GenerationOptions.parse(fields, limits);
    OptionalInt bestOf = fields.integer("best_of", 1, limits.choicesMax());
    if (bestOf.isPresent() && bestOf.getAsInt() != options.choiceCount()) {
      String expected = "equal to 'n' (" + options.choiceCount() + ")";
      throw new ApiException(ApiError.wrongValue("best_of", expected, bestOf.getAsInt()));
    }
    OptionalInt topLogprobs = fields.integer("logprobs", 0, limits.topLogprobsMax());
    boolean echo = fields.flag("echo", false);
    if (echo && topLogprobs.isPresent()) {
      throw new ApiException(
          ApiError.unsupported(
              "echo", "'echo' with 'logprobs' is not supported: a prompt's are not computed."));
    }
    OptionalInt maxTokens = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
    return new CompletionRequest(
        model,
        prompts(fields, "prompt", limits.promptsMax(), model),
        echo,
        options,
        SamplingRequest.parse(fields, model, limits, maxTokens, topLogprobs));
  }

  /** The text, the tokens, or the array of either in a field. */
  static List<Prompt> prompts(JsonFields fields, String name, int max, ServedModel model) {
    JsonNode prompt = fields.get(name);
    if (prompt == null) throw new ApiException(ApiError.missing(name));
    if (!(prompt instanceof ArrayNode array) || isTokens(array)) {
      return List.of(prompt(prompt, name, model));
    }
    if (array.isEmpty()) {
      throw new ApiException(
          ApiError.invalid(
              "empty_array", name, "'%s' must have at least one %s.".formatted(name, name)));
    }
    JsonFields.checkLength(array, name, max);
    List<Prompt> prompts = new ArrayList<>(array.size());
    for (int index = 0; index < array.size(); index++) {
      prompts.add(prompt(array.get(index), name + "[" + index + "]", model));
    }
    return prompts;
  }

  private static boolean isTokens(ArrayNode array) {
    return !array.isEmpty() && array.get(0).isNumber();
  }

  private static Prompt prompt(JsonNode node, String path, ServedModel model) {
    if (node.isTextual()) return new Prompt.Text(path, node.textValue());
    if (!(node instanceof ArrayNode array)) {
      throw new ApiException(
          ApiError.wrongType(path, "a string, an array of token ids, or an array of those", node));
    }
    return new Prompt.Tokens(path, tokens(array, path, model));
  }

  /** The ids of a JSON array, each in the model's vocabulary. */
  static int[] tokens(ArrayNode array, String path, ServedModel model) {
    int tokenIdMax = model.tokenizer().vocabularySize() - 1;
    int[] ids = new int[array.size()];
    for (int index = 0; index < ids.length; index++) {
      ids[index] = JsonFields.integer(array.get(index), path + "[" + index + "]", 0, tokenIdMax);
    }
    return ids;
  }
}
