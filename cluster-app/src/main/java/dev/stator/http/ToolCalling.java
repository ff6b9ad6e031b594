package dev.stator.http;

import dev.stator.http.tools.Piece;
import dev.stator.http.tools.ToolCallFormat;
import dev.stator.http.tools.ToolCallParser;
import dev.stator.model.text.Tokenizer;
import dev.stator.request.ServedModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * How one request's answers call tools, in the way of the model that gives them.
 *
 * <p>A call that must be made is begun for the model: {@link #answerBegin} is put behind the
 * prompt, so that the model goes on with a call's name, or with the arguments of the one tool that
 * is asked for. That forces a call as far as the model keeps to its own format; what it writes
 * instead of one is text.
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

  private ToolCalling(
      ToolCallFormat format, Set<String> names, boolean parallel, String answerBegin) {
    this.format = format;
    this.names = names;
    this.parallel = parallel;
    this.answerBegin = answerBegin;
  }

  /** Refuses what cannot be forced on this model with an {@link ApiException}. */
  static ToolCalling of(Conversation conversation, ServedModel model) {
    ToolRequest request = conversation.tools();
    if (request.tools().isEmpty()) return new ToolCalling(null, Set.of(), true, "");
    String template = model.chatTemplate() == null ? "" : model.chatTemplate().source();
    Optional<ToolCallFormat> format = ToolCallFormat.of(template);
    if (request.mustCall()) requireForcible(conversation, model, format);
    Set<String> names =
        request.tools().stream()
            .map(tool -> tool.path("function").path("name").textValue())
            .collect(Collectors.toUnmodifiableSet());
    Optional<String> only = names.size() == 1 ? names.stream().findFirst() : Optional.empty();
    String begin =
        request.mustCall()
            ? callBegin(format.orElseThrow(), template, request.forcedName().or(() -> only))
            : "";
    return new ToolCalling(
        format.orElse(null),
        request.forcedName().map(Set::of).orElse(names),
        request.parallel(),
        begin);
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

  /** Ends before a space or a brace: models write those together with what follows. */
  private static String callBegin(ToolCallFormat format, String template, Optional<String> name) {
    return switch (format) {
      case HERMES -> "<tool_call>\n" + objectBegin(name, "arguments");
      case LLAMA_JSON -> objectBegin(name, "parameters");
      case MISTRAL ->
          template.contains("[ARGS]")
              ? "[TOOL_CALLS]" + name.map(known -> known + "[ARGS]").orElse("")
              : "[TOOL_CALLS][" + objectBegin(name, "arguments");
    };
  }

  private static String objectBegin(Optional<String> name, String arguments) {
    return name.map(known -> "{\"name\": \"" + known + "\", \"" + arguments + "\":")
        .orElse("{\"name\":");
  }
}
