package dev.stator.http.tools;

import dev.stator.model.grammar.Constraint;
import dev.stator.model.text.Tokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an answer must be that has to call a tool, in each format: what is put behind the prompt to
 * begin with, and what the model may write from there on.
 */
public final class ToolCallForm {
  private static final String ARGUMENTS_TAG = "[ARGS]";
  private static final String CALLS_TAG = "[TOOL_CALLS]";

  /** Between a colon and its value; models write it or not. */
  private static final Constraint GAP = new Constraint.Regex(" ?");

  private final ToolCallFormat format;
  private final boolean usesTags; // Mistral's newer form.
  private final Map<String, String> schemas;
  private final Tokenizer tokenizer;

  /**
   * @param template that the format was found in
   * @param schemas of the arguments of the tools that may be called, by name
   */
  public ToolCallForm(
      ToolCallFormat format, String template, Map<String, String> schemas, Tokenizer tokenizer) {
    this.format = format;
    this.usesTags = format == ToolCallFormat.MISTRAL && template.contains(ARGUMENTS_TAG);
    this.schemas = Collections.unmodifiableMap(new LinkedHashMap<>(schemas)); // In order.
    this.tokenizer = tokenizer;
  }

  private Optional<String> only() {
    return schemas.size() == 1 ? schemas.keySet().stream().findFirst() : Optional.empty();
  }

  /** Ends before a space or a brace: models write those together with what follows. */
  public String begin() {
    return switch (format) {
      case HERMES -> "<tool_call>\n" + objectBegin("arguments");
      case LLAMA_JSON -> objectBegin("parameters");
      case MISTRAL ->
          usesTags
              ? CALLS_TAG + only().map(name -> name + ARGUMENTS_TAG).orElse("")
              : CALLS_TAG + "[" + objectBegin("arguments");
    };
  }

  private String objectBegin(String arguments) {
    return only()
        .map(name -> "{\"name\": \"" + name + "\", \"" + arguments + "\":")
        .orElse("{\"name\":");
  }

  /**
   * What follows {@link #begin}: at least one whole call.
   *
   * @param parallel whether further calls may follow
   */
  public Constraint rest(boolean parallel) {
    final List<Constraint> parts = new ArrayList<>();
    parts.add(call(only().isPresent()));
    if (parallel) {
      final List<Constraint> further = new ArrayList<>();
      switch (format) {
        case HERMES -> further.add(new Constraint.Text("\n<tool_call>\n{\"name\":"));
        case LLAMA_JSON -> further.add(new Constraint.Text("; {\"name\":"));
        case MISTRAL ->
            further.add(usesTags ? tag(CALLS_TAG) : new Constraint.Text(", {\"name\":"));
      }
      further.add(call(false));
      parts.add(new Constraint.Repeated(new Constraint.Sequence(further)));
    }
    if (format == ToolCallFormat.MISTRAL && !usesTags) parts.add(new Constraint.Text("]"));
    return new Constraint.Sequence(parts);
  }

  /** A control token where the vocabulary has it, its text where it has not. */
  private Constraint tag(String text) {
    final var id = tokenizer.tokenId(text);
    final boolean isControl = id.isPresent() && tokenizer.isSpecial(id.getAsInt());
    return isControl ? new Constraint.ControlToken(text) : new Constraint.Text(text);
  }

  private Constraint call(boolean isNamed) {
    final List<Constraint> options = new ArrayList<>();
    schemas.forEach((name, schema) -> {
      final List<Constraint> parts = new ArrayList<>();
      if (usesTags) {
        if (!isNamed) parts.addAll(List.of(new Constraint.Text(name), tag(ARGUMENTS_TAG)));
        parts.add(new Constraint.JsonSchema(schema));
      } else {
        final String key = format == ToolCallFormat.LLAMA_JSON ? "parameters" : "arguments";
        if (!isNamed) {
          parts.add(GAP);
          parts.add(new Constraint.Text("\"" + name + "\", \"" + key + "\":"));
        }
        parts.add(GAP);
        parts.add(new Constraint.JsonSchema(schema));
        parts.add(new Constraint.Text(format == ToolCallFormat.HERMES ? "}\n</tool_call>" : "}"));
      }
      options.add(new Constraint.Sequence(parts));
    });
    return options.size() == 1 ? options.getFirst() : new Constraint.OneOf(options);
  }
}
