package dev.stator.http;

import com.typesafe.config.Config;

/** {@code stator.http.limits}: what one request may ask for. */
public record RequestLimits(
    int choicesMax,
    int promptsMax,
    int embeddingInputsMax,
    int messagesMax,
    int toolsMax,
    int promptCharactersMax,
    int stopStringsMax,
    int stopStringCharactersMax,
    int stopTokenIdsMax,
    int logitBiasMax,
    int topLogprobsMax,
    int jsonDepthMax,
    int jsonNumberCharactersMax,
    int jsonNameCharactersMax) {

  /**
   * @throws IllegalArgumentException naming the key, when a value is out of range
   */
  public RequestLimits {
    require("choices-max", choicesMax, 1);
    require("prompts-max", promptsMax, 1);
    require("embedding-inputs-max", embeddingInputsMax, 1);
    require("messages-max", messagesMax, 1);
    require("tools-max", toolsMax, 0);
    require("prompt-characters-max", promptCharactersMax, 1);
    require("stop-strings-max", stopStringsMax, 0);
    require("stop-string-characters-max", stopStringCharactersMax, 1);
    require("stop-token-ids-max", stopTokenIdsMax, 0);
    require("logit-bias-max", logitBiasMax, 0);
    require("top-logprobs-max", topLogprobsMax, 0);
    require("json-depth-max", jsonDepthMax, 4);
    require("json-number-characters-max", jsonNumberCharactersMax, 20);
    require("json-name-characters-max", jsonNameCharactersMax, 64);
  }

  static RequestLimits from(Config config) {
    return new RequestLimits(
        config.getInt("choices-max"),
        config.getInt("prompts-max"),
        config.getInt("embedding-inputs-max"),
        config.getInt("messages-max"),
        config.getInt("tools-max"),
        config.getInt("prompt-characters-max"),
        config.getInt("stop-strings-max"),
        config.getInt("stop-string-characters-max"),
        config.getInt("stop-token-ids-max"),
        config.getInt("logit-bias-max"),
        config.getInt("top-logprobs-max"),
        config.getInt("json-depth-max"),
        config.getInt("json-number-characters-max"),
        config.getInt("json-name-characters-max"));
  }

  private static void require(String key, int value, int min) {
    HttpSettings.requireRange("limits." + key, value, min, 1 << 30);
  }
}
