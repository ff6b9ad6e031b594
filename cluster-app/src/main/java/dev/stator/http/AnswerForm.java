package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.stator.model.grammar.Constraint;
import dev.stator.model.grammar.ConstraintCompiler;
import dev.stator.model.grammar.ConstraintException;
import dev.stator.model.grammar.GrammarSettings;
import java.util.ArrayList;
import java.util.List;

/**
 * What a request says an answer must look like: OpenAI's {@code response_format}, vLLM's {@code
 * guided_*} and {@code structured_outputs}, llama.cpp's {@code grammar}.
 *
 * @param path of the field that says so; empty for an answer that may be anything
 * @param constraint {@code null} for anything
 */
record AnswerForm(String path, Constraint constraint) {
  static final AnswerForm ANYTHING = new AnswerForm("", null);

  /** Which library compiles a grammar elsewhere; here it makes no difference. */
  private static final List<String> WITHOUT_MEANING =
      List.of("guided_decoding_backend", "guided_decoding_disable_fallback");

  private static final String OPTIONS_OF_OTHERS = "guided_whitespace_pattern";

  /** Reads the fields; two that both say what an answer must be are a fault. */
  static AnswerForm parse(JsonFields fields) {
    fields.ignore(WITHOUT_MEANING);
    if (fields.has(OPTIONS_OF_OTHERS)) throw notSupported(fields.path(OPTIONS_OF_OTHERS));
    List<AnswerForm> forms = new ArrayList<>();
    fields.object("response_format").ifPresent(format -> addFormat(format, forms));
    addForms(fields, "guided_", forms);
    addText(fields, "grammar", forms);
    fields
        .object("structured_outputs")
        .ifPresent(outputs -> {
          addForms(outputs, "", forms);
          if (outputs.flag("json_object", false)) {
            forms.add(new AnswerForm(outputs.path("json_object"), Constraint.JSON_OBJECT));
          }
          for (String unknown : outputs.unknown()) throw notSupported(outputs.path(unknown));
        });
    if (forms.size() > 1) {
      throw new ApiException(
          ApiError.invalid(
              "invalid_value",
              forms.get(1).path,
              "'%s' and '%s' exclude each other: an answer has one form."
                  .formatted(forms.get(0).path, forms.get(1).path)));
    }
    return forms.isEmpty() ? ANYTHING : forms.getFirst();
  }

  private static ApiException notSupported(String path) {
    return new ApiException(ApiError.unsupported(path, "'%s' is not supported.".formatted(path)));
  }

  private static void addFormat(JsonFields format, List<AnswerForm> forms) {
    String type = format.requiredText("type");
    switch (type) {
      case "text" -> {}
      case "json_object" -> forms.add(new AnswerForm(format.path("type"), Constraint.JSON_OBJECT));
      case "json_schema" -> {
        JsonFields named =
            format
                .object("json_schema")
                .orElseThrow(() -> new ApiException(ApiError.missing(format.path("json_schema"))));
        named.requiredText("name");
        named.text("description");
        named.flag("strict", false); // An answer always keeps to its schema.
        String path = named.path("schema");
        JsonFields schema =
            named.object("schema").orElseThrow(() -> new ApiException(ApiError.missing(path)));
        forms.add(new AnswerForm(path, new Constraint.JsonSchema(schema.node().toString())));
      }
      default ->
          throw new ApiException(
              ApiError.wrongValue(
                  format.path("type"), "'text', 'json_object' or 'json_schema'", type));
    }
  }

  private static void addForms(JsonFields fields, String prefix, List<AnswerForm> forms) {
    JsonNode schema = fields.get(prefix + "json");
    if (schema != null) {
      String text = schema.isTextual() ? schema.textValue() : schema.toString();
      forms.add(new AnswerForm(fields.path(prefix + "json"), new Constraint.JsonSchema(text)));
    }
    fields
        .text(prefix + "regex")
        .ifPresent(pattern ->
            forms.add(
                new AnswerForm(fields.path(prefix + "regex"), new Constraint.Regex(pattern))));
    addText(fields, prefix + "grammar", forms);
    ArrayNode choices = fields.array(prefix + "choice", Integer.MAX_VALUE);
    if (choices == null) return;
    String path = fields.path(prefix + "choice");
    if (choices.isEmpty()) {
      throw new ApiException(
          ApiError.invalid(
              "empty_array", path, "'%s' must have at least one text.".formatted(path)));
    }
    List<Constraint> options = new ArrayList<>();
    for (JsonNode choice : choices) {
      String place = path + "[" + options.size() + "]";
      if (!choice.isTextual() || choice.textValue().isEmpty()) {
        throw new ApiException(ApiError.wrongType(place, "a string that is not empty", choice));
      }
      options.add(new Constraint.Text(choice.textValue()));
    }
    forms.add(new AnswerForm(path, new Constraint.OneOf(options)));
  }

  private static void addText(JsonFields fields, String name, List<AnswerForm> forms) {
    fields
        .text(name)
        .filter(grammar -> !grammar.isEmpty()) // As llama.cpp's clients send it for none.
        .ifPresent(
            grammar -> forms.add(new AnswerForm(fields.path(name), new Constraint.Gbnf(grammar))));
  }

  /** Refuses a form that cannot be kept. Takes some milliseconds for a large one. */
  void check(GrammarSettings settings) {
    if (constraint == null) return;
    try {
      ConstraintCompiler.check(constraint, settings);
    } catch (ConstraintException fault) {
      throw new ApiException(
          ApiError.invalid(
              "invalid_grammar",
              path,
              "'%s' cannot be kept: %s.".formatted(path, fault.getMessage())));
    }
  }

  /** For {@link dev.stator.engine.SamplingParams#constraint}. */
  String text() {
    return constraint == null ? "" : constraint.toText();
  }
}
