package dev.stator.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.model.text.Tokenizer;
import dev.stator.request.ServedModel;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code POST /tokenize} and {@code POST /detokenize}, in vLLM's shapes. Any thread. */
final class TokenEndpoints {
  private final RequestPreparation preparation;
  private final RequestLimits limits;

  TokenEndpoints(RequestPreparation preparation, RequestLimits limits) {
    this.preparation = preparation;
    this.limits = limits;
  }

  /** Text, or a conversation, to token ids. */
  HttpResponse tokenize(ObjectNode body) {
    JsonFields fields = new JsonFields(body, "");
    ServedModel model = preparation.model(fields);
    boolean withStrings = fields.flag("return_token_strs", false);
    int[] tokens = fields.has("messages") ? conversation(fields, model) : prompt(fields, model);
    return Responses.json(json -> {
      json.writeStartObject();
      json.writeNumberField("count", tokens.length);
      json.writeNumberField("max_model_len", model.contextLength());
      json.writeFieldName("tokens");
      json.writeArray(tokens, 0, tokens.length);
      json.writeFieldName("token_strs");
      if (withStrings) {
        json.writeStartArray();
        for (int token : tokens) json.writeString(text(model.tokenizer(), token));
        json.writeEndArray();
      } else {
        json.writeNull();
      }
      json.writeEndObject();
    });
  }

  /** Token ids to text, special tokens included. */
  HttpResponse detokenize(ObjectNode body) {
    JsonFields fields = new JsonFields(body, "");
    ServedModel model = preparation.model(fields);
    ArrayNode array = fields.array("tokens", limits.promptCharactersMax());
    if (array == null) throw new ApiException(ApiError.missing("tokens"));
    int[] tokens = CompletionRequest.tokens(array, "tokens", model);
    String text = model.tokenizer().decode(tokens, false);
    return Responses.json(json -> {
      json.writeStartObject();
      json.writeStringField("prompt", text);
      json.writeEndObject();
    });
  }

  private int[] prompt(JsonFields fields, ServedModel model) {
    Optional<String> prompt = fields.text("prompt");
    if (prompt.isEmpty()) throw new ApiException(ApiError.missing("prompt"));
    boolean addSpecial = fields.flag("add_special_tokens", true);
    return preparation.encoder().encodeText(prompt.get(), "prompt", model, addSpecial);
  }

  private int[] conversation(JsonFields fields, ServedModel model) {
    Conversation conversation = Conversation.parse(fields, preparation.messages(), limits);
    String text = preparation.encoder().render(conversation, model, "");
    boolean addSpecial = fields.flag("add_special_tokens", false);
    return preparation.encoder().encodeText(text, "messages", model, addSpecial);
  }

  private static String text(Tokenizer tokenizer, int tokenId) {
    return new String(tokenizer.tokenBytes(tokenId), StandardCharsets.UTF_8);
  }
}
