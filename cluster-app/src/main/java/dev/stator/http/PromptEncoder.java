package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.ChatTemplateException;
import dev.stator.model.text.TextTooComplexException;
import dev.stator.model.text.Tokenizer;
import dev.stator.model.text.Tokenizer.SpecialText;
import dev.stator.request.ServedModel;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes tokens of prompts, within the limits. Long prompts take long: never call it on a thread
 * that serves others.
 */
final class PromptEncoder {
  /** In no template and no message; letters and digits only, which templates leave as they are. */
  private static final String END_MARK = "statorContinues7d1f0c92e4b84a6fHere";

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
      return conversation.continueFinalMessage()
          ? renderToFinalMessage(conversation, model.chatTemplate())
          : render(conversation.messages(), conversation, model.chatTemplate()) + answerBegin;
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

  private static String render(
      List<JsonNode> messages, Conversation conversation, ChatTemplate template) {
    return template.render(
        messages,
        conversation.tools().tools(),
        conversation.addGenerationPrompt(),
        conversation.templateVariables());
  }

  /**
   * The template ends a message with markers of its own; the answer must go on before them. They
   * may have the message's text in them, so a mark behind the text shows where it ends. White space
   * at the text's end is left out, as by templates that trim.
   */
  private static String renderToFinalMessage(Conversation conversation, ChatTemplate template) {
    List<JsonNode> messages = new ArrayList<>(conversation.messages());
    ObjectNode last = messages.removeLast().deepCopy();
    String content = last.path("content").textValue();
    if (content == null || content.isBlank()) throw new ApiException(notContinuable());
    messages.add(last.put("content", content.stripTrailing() + END_MARK));
    String text = render(messages, conversation, template);
    int end = text.lastIndexOf(END_MARK);
    if (end < 0) throw new ApiException(notContinuable());
    return text.substring(0, end);
  }

  private static ApiError notContinuable() {
    return ApiError.invalid(
        "invalid_value",
        "continue_final_message",
        "The last message has no text that the model's template shows, so it cannot be continued.");
  }
}
