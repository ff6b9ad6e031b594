package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.request.GenerationEvent.TokenLogprob;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Log-probabilities in the shapes of both APIs. */
final class LogprobWriter {
  /** What OpenAI writes for a token without a chance; JSON has no minus infinity. */
  private static final float IMPOSSIBLE = -9999;

  private LogprobWriter() {}

  /** {@code {"content":[{token, logprob, bytes, top_logprobs}], "refusal":null}}. */
  static void writeChat(JsonGenerator json, List<TokenLogprob> tokens) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("content");
    for (TokenLogprob token : tokens) {
      json.writeStartObject();
      writeToken(json, token);
      json.writeArrayFieldStart("top_logprobs");
      for (TokenLogprob alternative : token.top()) {
        json.writeStartObject();
        writeToken(json, alternative);
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNullField("refusal");
    json.writeEndObject();
  }

  /**
   * {@code {"tokens", "token_logprobs", "top_logprobs", "text_offset"}}. The chosen token is always
   * among its alternatives.
   *
   * @param textOffset characters (code points) of the answer, prompt echo included, before the
   *     first of these tokens
   * @return the offset behind the last
   */
  static int writeCompletion(JsonGenerator json, List<TokenLogprob> tokens, int textOffset)
      throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("tokens");
    for (TokenLogprob token : tokens) json.writeString(WellFormed.text(token.token()));
    json.writeEndArray();
    json.writeArrayFieldStart("token_logprobs");
    for (TokenLogprob token : tokens) json.writeNumber(finite(token.logprob()));
    json.writeEndArray();
    json.writeArrayFieldStart("top_logprobs");
    for (TokenLogprob token : tokens) writeAlternatives(json, token);
    json.writeEndArray();
    int offset = textOffset;
    json.writeArrayFieldStart("text_offset");
    for (TokenLogprob token : tokens) {
      json.writeNumber(offset);
      offset += token.token().codePointCount(0, token.token().length());
    }
    json.writeEndArray();
    json.writeEndObject();
    return offset;
  }

  private static void writeAlternatives(JsonGenerator json, TokenLogprob token) throws IOException {
    json.writeStartObject();
    Set<String> names = new HashSet<>();
    for (TokenLogprob alternative : token.top()) writeAlternative(json, alternative, names);
    writeAlternative(json, token, names);
    json.writeEndObject();
  }

  private static void writeAlternative(JsonGenerator json, TokenLogprob token, Set<String> names)
      throws IOException {
    String name = name(token);
    if (names.add(name)) json.writeNumberField(name, finite(token.logprob()));
  }

  /** A token that is a part of a character has no text of its own: its bytes tell it apart. */
  private static String name(TokenLogprob token) {
    if (token.token().indexOf('\uFFFD') < 0) return WellFormed.text(token.token());
    StringBuilder name = new StringBuilder("bytes:");
    for (byte value : token.bytes()) name.append("\\x%02x".formatted(value & 0xFF));
    return name.toString();
  }

  private static void writeToken(JsonGenerator json, TokenLogprob token) throws IOException {
    json.writeStringField("token", WellFormed.text(token.token()));
    json.writeNumberField("logprob", finite(token.logprob()));
    json.writeArrayFieldStart("bytes");
    for (byte value : token.bytes()) json.writeNumber(value & 0xFF);
    json.writeEndArray();
  }

  private static float finite(float logprob) {
    return Float.isFinite(logprob) ? logprob : IMPOSSIBLE;
  }
}
