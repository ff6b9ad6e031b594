package dev.stator.model.file;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.stator.model.GenerationDefaults;
import dev.stator.model.ModelFormatException;
import dev.stator.model.Pooling;
import dev.stator.model.text.Tokenizer;
import dev.stator.model.text.Tokenizers;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What the JSON and template files of a Hugging Face model say of its text. */
final class HuggingFaceText {
  static final String CONFIG = "config.json";
  static final String TOKENIZER = "tokenizer.json";
  private static final String GENERATION_CONFIG = "generation_config.json";
  private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  private static final String TEMPLATE = "chat_template.jinja";
  private static final String TEMPLATE_JSON = "chat_template.json";
  private static final String POOLING = "1_Pooling/config.json";

  /** All files that are looked at; those beyond the first two may be absent. */
  static final List<String> FILE_NAMES =
      List.of(
          CONFIG, TOKENIZER, GENERATION_CONFIG, TOKENIZER_CONFIG, TEMPLATE, TEMPLATE_JSON, POOLING);

  private final JsonFiles json;
  private final FileSource files;
  private final JsonNode config;
  private final JsonNode tokenizerConfig;

  HuggingFaceText(FileSource files, JsonFiles json) {
    this.json = json;
    this.files = files;
    this.config = json.require(files, CONFIG);
    this.tokenizerConfig =
        json.find(files, TOKENIZER_CONFIG).orElseGet(JsonNodeFactory.instance::objectNode);
  }

  JsonNode config() {
    return config;
  }

  ModelText read() {
    final JsonNode tokenizerJson = json.requireTokenizer(files);
    final Tokenizer tokenizer =
        Messages.about(TOKENIZER, () -> Tokenizers.fromHuggingFace(tokenizerJson, tokenizerConfig));
    return new ModelText(
        tokenizer,
        Messages.oneLine(tokenizerJson.path("model").path("type").asText("BPE")),
        ModelParts.compileTemplate(
            templateSource().orElse(null), specialToken("bos_token"), specialToken("eos_token")),
        defaults(tokenizer));
  }

  private GenerationDefaults defaults(Tokenizer tokenizer) {
    final EndTokens endTokens = new EndTokens(tokenizer);
    final Optional<JsonNode> generation = json.find(files, GENERATION_CONFIG);
    Messages.about(CONFIG, () -> addEndTokens(endTokens, config));
    generation.ifPresent(
        node -> Messages.about(GENERATION_CONFIG, () -> addEndTokens(endTokens, node)));
    final String endText = specialToken("eos_token");
    if (endText != null)
      tokenizer.tokenId(endText).ifPresent(id -> endTokens.add("eos_token", OptionalInt.of(id)));
    final Sampling sampling =
        generation
            .map(node -> Messages.about(GENERATION_CONFIG, () -> sampling(node)))
            .orElse(Sampling.NONE);
    return sampling.with(endTokens.ids()).with(pooling());
  }

  /** As the sentence-transformers library writes it. */
  private Optional<Pooling> pooling() {
    final Optional<JsonNode> node = json.find(files, POOLING);
    if (node.isEmpty()) return Optional.empty();
    return Messages.about(
        POOLING,
        () -> {
          final JsonFields fields = new JsonFields(node.get());
          if (fields.flag("pooling_mode_lasttoken").orElse(false)) return Optional.of(Pooling.LAST);
          if (fields.flag("pooling_mode_mean_tokens").orElse(false)) {
            return Optional.of(Pooling.MEAN);
          }
          throw new ModelFormatException(
              "neither pooling_mode_mean_tokens nor pooling_mode_lasttoken is true;"
                  + " other poolings are not supported");
        });
  }

  /** {@code eos_token_id} is one id or a list of them. */
  private static EndTokens addEndTokens(EndTokens endTokens, JsonNode node) {
    final JsonNode ids = node.path("eos_token_id");
    if (!ids.isArray()) {
      endTokens.add("eos_token_id", new JsonFields(node).int32("eos_token_id"));
      return endTokens;
    }
    for (JsonNode id : ids) {
      if (!id.isIntegralNumber() || !id.canConvertToInt()) {
        throw JsonFields.wrongType("an element of eos_token_id", id, "an integer");
      }
      endTokens.add("eos_token_id", OptionalInt.of(id.intValue()));
    }
    return endTokens;
  }

  /** With {@code do_sample} off the other values are not in force. */
  private static Sampling sampling(JsonNode node) {
    final JsonFields fields = new JsonFields(node);
    if (!fields.flag("do_sample").orElse(true)) return Sampling.NONE;
    return new Sampling(
        fields.number("temperature"), fields.number("top_p"), fields.int32("top_k"));
  }

  /**
   * A file of its own goes before {@code tokenizer_config.json}, as in the transformers library.
   */
  private Optional<String> templateSource() {
    return json.findText(files, TEMPLATE)
        .or(() -> json.find(files, TEMPLATE_JSON).flatMap(node -> template(TEMPLATE_JSON, node)))
        .or(() -> template(TOKENIZER_CONFIG, tokenizerConfig));
  }

  /**
   * {@code chat_template} is one template or a list of named ones, of which {@code default} is
   * taken.
   */
  private static Optional<String> template(String fileName, JsonNode node) {
    final JsonNode value = node.path("chat_template");
    if (!value.isArray())
      return Messages.about(fileName, () -> new JsonFields(node).string("chat_template"));
    for (JsonNode named : value) {
      if (named.path("name").asText().equals("default")) {
        return Messages.about(
            fileName, () -> Optional.of(new JsonFields(named).requireString("template")));
      }
    }
    return Optional.empty();
  }

  /** A special token's text, given as such or as an object; {@code null} when absent. */
  private String specialToken(String key) {
    final JsonNode value = tokenizerConfig.path(key);
    if (value.isObject()) {
      return Messages.about(TOKENIZER_CONFIG, () -> new JsonFields(value).requireString("content"));
    }
    return Messages.about(TOKENIZER_CONFIG, () -> new JsonFields(tokenizerConfig).string(key))
        .orElse(null);
  }
}
