package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.text.ChatTemplateException;
import dev.stator.model.text.TextTooComplexException;
import dev.stator.model.text.Tokenizer;
import dev.stator.model.text.Tokenizer.SpecialText;
import dev.stator.request.ServedModel;

/**
 * Makes tokens of prompts, within the limits. Long prompts take long: never call it on a thread
 * that serves others.
 */
final class PromptEncoder {
  private final RequestLimits limits;

  PromptEncoder(RequestLimits limits) {
    this.limits = limits;
  }

  /**
   * The prompt text of a conversation.
   *
   * @param answerBegin what the answer is made to begin with; empty for nothing
   */
  String render(Conversation conversation, ServedModel model, String answerBegin) {
    if (model.chatTemplate() == null) {
      throw new ApiException(
          ApiError.unsupported(
              "messages",
              "The model '%s' has no chat template; use /v1/completions.".formatted(model.name())));
    }
    try {
      String text =
          model
              .chatTemplate()
              .render(
                  conversation.messages(),
                  conversation.tools().tools(),
                  conversation.addGenerationPrompt(),
                  conversation.templateVariables());
      return conversation.continueFinalMessage()
          ? cutAfterFinalMessage(text, conversation)
          : text + answerBegin;
    } catch (ChatTemplateException rejected) {
      throw new ApiException(ApiError.invalid("invalid_value", "messages", rejected.getMessage()));
    }
  }

  /**
   * The tokens of a rendered conversation; the template has put a begin token where it wants one.
   */
  int[] encodeRendered(String text, ServedModel model) {
    return encode(text, "messages", model.tokenizer());
  }

  private int[] encode(String text, String path, Tokenizer tokenizer) {
    checkLength(text, path);
    try {
      return tokenizer.encode(text, SpecialText.PARSED);
    } catch (TextTooComplexException tooComplex) {
      throw new ApiException(ApiError.invalid("invalid_value", path, tooComplex.getMessage()));
    }
  }

  /**
   * The tokens of plain text.
   *
   * @param path where the text stands in the body
   * @param addSpecial whether the model's begin token is put in front, if it wants one
   */
  int[] encodeText(String text, String path, ServedModel model, boolean addSpecial) {
    Tokenizer tokenizer = model.tokenizer();
    int[] ids = encode(text, path, tokenizer);
    if (!addSpecial || !tokenizer.addsBeginToken()) return ids;
    int begin = tokenizer.beginTokenId().orElseThrow();
    if (ids.length > 0 && ids[0] == begin) return ids;
    int[] withBegin = new int[ids.length + 1];
    withBegin[0] = begin;
    System.arraycopy(ids, 0, withBegin, 1, ids.length);
    return withBegin;
  }

  /** How many tokens an answer to the prompt may have: at least one. */
  int room(int[] prompt, String path, ServedModel model) {
    if (prompt.length == 0) {
      throw new ApiException(
          ApiError.invalid("invalid_value", path, "'" + path + "' must have at least one token."));
    }
    int room = model.contextLength() - prompt.length;
    if (room > 0) return room;
    throw new ApiException(
        ApiError.invalid(
            "context_length_exceeded",
            path,
            ("This model's maximum context length is %d tokens, prompt and answer together;"
                    + " the prompt alone has %d.")
                .formatted(model.contextLength(), prompt.length)));
  }

  private void checkLength(String text, String path) {
    if (text.length() <= limits.promptCharactersMax()) return;
    throw new ApiException(
        ApiError.invalid(
            "string_above_max_length",
            path,
            "The prompt must have at most %d characters, but has %d."
                .formatted(limits.promptCharactersMax(), text.length())));
  }

  /** The template ends a message with markers of its own; the answer must go on before them. */
  private static String cutAfterFinalMessage(String text, Conversation conversation) {
    JsonNode last = conversation.messages().getLast();
    String content = last.path("content").asText().strip();
    int start = text.lastIndexOf(content);
    if (content.isEmpty() || start < 0) {
      throw new ApiException(
          ApiError.invalid(
              "invalid_value",
              "continue_final_message",
              "The last message has no text that the model's template shows, so it cannot be"
                  + " continued."));
    }
    return text.substring(0, start + content.length());
  }
}
