package dev.stator.model.text.template;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.ChatTemplateException;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A compiled chat template. Immutable: each render has its own state. */
public final class JinjaTemplate implements ChatTemplate {
  private final String source;
  private final List<Statement> statements;
  private final Map<String, Object> tokens;
  private final Limits limits;
  private final Clock clock;

  private JinjaTemplate(
      String source,
      List<Statement> statements,
      Map<String, Object> tokens,
      Limits limits,
      Clock clock) {
    this.source = source;
    this.statements = statements;
    this.tokens = tokens;
    this.limits = limits;
    this.clock = clock;
  }

  /**
   * Compiles a template.
   *
   * @param specialTokens texts of tokens under the names that templates know, such as {@code
   *     bos_token}
   * @param clock what {@code strftime_now} reads
   * @throws ChatTemplateException when the source is not a template that this engine knows
   */
  public static JinjaTemplate compile(
      String source, Map<String, String> specialTokens, Limits limits, Clock clock) {
    if (source.length() > limits.sourceChars()) {
      throw new ChatTemplateException(
          "the chat template has "
              + source.length()
              + " characters, the limit is "
              + limits.sourceChars());
    }
    try {
      final List<Statement> statements = StatementParser.parse(source, limits);
      return new JinjaTemplate(source, statements, Map.copyOf(specialTokens), limits, clock);
    } catch (TemplateFault fault) {
      throw failure(fault.getMessage(), fault.line());
    } catch (
        StackOverflowError
            tooDeep) { // A caller with little stack left; the depth limit comes first.
      throw failure("the template nests too deep", 0);
    }
  }

  @Override
  public String source() {
    return source;
  }

  @Override
  public String render(
      List<JsonNode> messages,
      List<JsonNode> tools,
      boolean addGenerationPrompt,
      Map<String, JsonNode> variables) {
    final Budget budget = new Budget(limits);
    final Evaluator evaluator = new Evaluator(budget);
    try {
      final JsonValues json = new JsonValues(budget);
      final Map<String, Object> names = new HashMap<>(tokens);
      variables.forEach((name, value) -> names.put(name, json.value(value)));
      names.put("messages", json.list(messages));
      names.put("tools", tools.isEmpty() ? NoneValue.NONE : json.list(tools));
      names.putIfAbsent("documents", NoneValue.NONE);
      names.put("add_generation_prompt", addGenerationPrompt);
      final Scope scope = Scope.root(Globals.of(budget, clock)).inner(names).inner();
      return new Renderer(budget, evaluator).render(statements, scope);
    } catch (TemplateFault fault) {
      throw failure(fault.getMessage(), evaluator.line());
    } catch (StackOverflowError tooDeep) { // As above.
      throw failure("the template nests too deep", evaluator.line());
    }
  }

  private static ChatTemplateException failure(String message, int line) {
    return new ChatTemplateException(
        message + (line > 0 ? " (chat template, line " + line + ")" : ""));
  }
}
