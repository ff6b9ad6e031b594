package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.http.tools.Piece;
import dev.stator.http.tools.ToolCallForm;
import dev.stator.http.tools.ToolCallFormat;
import dev.stator.http.tools.ToolCallParser;
import dev.stator.model.text.Tokenizer;
import dev.stator.request.ServedModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * How one request's answers call tools, in the way of the model that gives them.
 *
 * <p>A call that must be made is begun for the model: {@link #answerBegin} is put behind the
 * prompt, so that the model goes on with a call's name, or with the arguments of the one tool that
 * is asked for; {@link #form} lets it write nothing but whole calls with valid arguments.
 */
final class ToolCalling {
  /** For answers without tools: all is text. */
  private static final ToolCallParser TEXT_ONLY =
      new ToolCallParser() {
        @Override
        public List<Piece> add(String text) {
          return text.isEmpty() ? List.of() : List.of(new Piece.Content(text));
        }

        @Override
        public List<Piece> finish() {
          return List.of();
        }
      };

  private final ToolCallFormat format; // Null where answers are text.
  private final Set<String> names;
  private final boolean parallel;
  private final String answerBegin;
  private final AnswerForm form;

  private ToolCalling(
      ToolCallFormat format,
      Set<String> names,
      boolean parallel,
      String answerBegin,
      AnswerForm form) {
    this.format = format;
    this.names = names;
    this.parallel = parallel;
    this.answerBegin = answerBegin;
    this.form = form;
  }

  /**
   * Refuses what cannot be forced on this model with an {@link ApiException}.
   *
   * @param asked what the request says of the answer's form besides
   */
  static ToolCalling of(Conversation conversation, ServedModel model, AnswerForm asked) {
    ToolRequest request = conversation.tools();
    if (request.tools().isEmpty()) return new ToolCalling(null, Set.of(), true, "", asked);
    if (asked.constraint() != null) {
      throw new ApiException(
          ApiError.invalid(
              "invalid_value",
              asked.path(),
              "'%s' and 'tools' exclude each other, unless 'tool_choice' is 'none'."
                  .formatted(asked.path())));
    }
    String template = model.chatTemplate() == null ? "" : model.chatTemplate().source();
    Optional<ToolCallFormat> format = ToolCallFormat.of(template);
    Map<String, String> schemas = schemas(request);
    Set<String> names = schemas.keySet();
    if (!request.mustCall()) {
      return new ToolCalling(format.orElse(null), names, request.parallel(), "", asked);
    }
    requireForcible(conversation, model, format);
    ToolCallForm form =
        new ToolCallForm(format.orElseThrow(), template, schemas, model.tokenizer());
    boolean mayCallAgain = request.parallel() && request.forcedName().isEmpty();
    return new ToolCalling(
        format.orElseThrow(),
        names,
        request.parallel(),
        form.begin(),
        new AnswerForm("tools", form.rest(mayCallAgain)));
  }

  /** Of the arguments of the tools that may be called, by name, in the request's order. */
  private static Map<String, String> schemas(ToolRequest request) {
    Map<String, String> schemas = new LinkedHashMap<>();
    for (JsonNode tool : request.tools()) {
      JsonNode function = tool.path("function");
      String name = function.path("name").textValue();
      if (request.forcedName().filter(forced -> !forced.equals(name)).isPresent()) continue;
      JsonNode parameters = function.path("parameters");
      boolean isAny = parameters.isMissingNode() || parameters.isNull() || parameters.isEmpty();
      schemas.put(name, isAny ? "{\"type\":\"object\"}" : parameters.toString());
    }
    return schemas;
  }

  /** What an answer must be. */
  AnswerForm form() {
    return form;
  }

  /** What an answer is made to begin with; empty for nothing. */
  String answerBegin() {
    return answerBegin;
  }

  /** Whether a text without its special tokens would lack the marks of calls. */
  boolean needsSpecialTokens(Tokenizer tokenizer) {
    return format != null && format.needsSpecialText(tokenizer);
  }

  /**
   * A parser for one choice.
   *
   * @param ids an id for each call
   */
  ToolCallParser parser(Supplier<String> ids) {
    if (format == null) return TEXT_ONLY;
    ToolCallParser parser = format.parser(names, ids);
    List<Piece> begun = parser.add(answerBegin);
    return new ToolCallParser() {
      private List<Piece> first = begun;

      @Override
      public List<Piece> add(String text) {
        return allowed(parser.add(text));
      }

      @Override
      public List<Piece> finish() {
        return allowed(parser.finish());
      }

      private List<Piece> allowed(List<Piece> pieces) {
        List<Piece> all = new ArrayList<>(first);
        all.addAll(pieces);
        first = List.of();
        if (!parallel) all.removeIf(ToolCalling::isFurtherCall);
        return all;
      }
    };
  }

  private static boolean isFurtherCall(Piece piece) {
    return switch (piece) {
      case Piece.Content content -> false;
      case Piece.CallStarted(var index, _, _) -> index > 0;
      case Piece.ArgumentsDelta(var index, _) -> index > 0;
    };
  }

  private static void requireForcible(
      Conversation conversation, ServedModel model, Optional<ToolCallFormat> format) {
    if (format.isEmpty()) {
      throw new ApiException(
          ApiError.unsupported(
              "tool_choice",
              "A call cannot be forced: the chat template of '%s' knows no form of tool calls."
                  .formatted(model.name())));
    }
    if (!conversation.addGenerationPrompt()) {
      throw new ApiException(
          ApiError.invalid(
              "invalid_value",
              "tool_choice",
              "A call cannot be forced without a generation prompt that it could follow."));
    }
  }
}
