package dev.stator.model.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Makes automata of constraints for one engine, and keeps the latest. Compiling runs on an
 * executor: it begins when a sequence comes in and is needed when its first token is chosen.
 *
 * <p><b>Threads:</b> one at a time, the engine's; {@link #check} is for any.
 */
public final class ConstraintCompiler {
  private final Supplier<TokenTrie> trie;
  private final GrammarSettings settings;
  private final Executor executor;
  private final Map<String, CompletableFuture<Automaton>> cache =
      new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param trie of the engine's vocabulary; called on the executor, for each grammar
   */
  public ConstraintCompiler(Supplier<TokenTrie> trie, GrammarSettings settings, Executor executor) {
    this.trie = trie;
    this.settings = settings;
    this.executor = executor;
  }

  /**
   * Whether a constraint can be kept. Takes some milliseconds for a large one.
   *
   * @throws ConstraintException when not
   */
  public static void check(Constraint constraint, GrammarSettings settings) {
    network(constraint, settings);
  }

  /**
   * The automaton of a {@link Constraint#toText}, soon; fails with a {@link ConstraintException}.
   */
  public CompletableFuture<Automaton> compile(String constraint) {
    final CompletableFuture<Automaton> known = cache.get(constraint);
    if (known != null) return known;
    final CompletableFuture<Automaton> automaton =
        CompletableFuture.supplyAsync(() -> automaton(constraint), executor);
    cache.put(constraint, automaton);
    if (cache.size() > settings.cachedMax()) {
      cache.remove(cache.keySet().iterator().next());
    }
    return automaton;
  }

  private Automaton automaton(String constraint) {
    final TransitionNetwork network = network(Constraint.ofText(constraint), settings);
    return new Automaton(network, trie.get(), settings);
  }

  /** Where an answer that has no text yet stands; waits until the constraint is compiled. */
  public static ConstrainedText begin(CompletableFuture<Automaton> compiled) {
    try {
      return new ConstrainedText(compiled.join());
    } catch (CompletionException failure) {
      if (failure.getCause() instanceof ConstraintException fault) throw fault;
      throw failure;
    }
  }

  /** Forgets what was learnt longest ago, if it is too much. To be called now and then. */
  public void trim() {
    long held = 0;
    for (CompletableFuture<Automaton> automaton : cache.values()) held += heldBytes(automaton);
    for (CompletableFuture<Automaton> automaton : cache.values()) { // The least recent one first.
      final long own = heldBytes(automaton);
      if (own == 0 || held <= settings.cacheBytesMax() && !automaton.join().isFull()) continue;
      automaton.join().forget();
      held -= own;
    }
  }

  private static long heldBytes(CompletableFuture<Automaton> automaton) {
    final boolean isThere = automaton.isDone() && !automaton.isCompletedExceptionally();
    return isThere ? automaton.join().heldBytes() : 0;
  }

  static TransitionNetwork network(Constraint constraint, GrammarSettings settings) {
    final Lowering lowering = new Lowering(settings);
    final int root = lowering.rules.declare("the whole text");
    lowering.rules.define(root, lowering.expression(constraint));
    return NetworkBuilder.build(lowering.rules.grammar(), settings);
  }

  /** Makes expressions of constraints. */
  private static final class Lowering {
    final RuleTable rules = new RuleTable();
    private final GrammarSettings settings;
    private final JsonForms json = new JsonForms(rules);
    private long characters;
    private int nesting;

    Lowering(GrammarSettings settings) {
      this.settings = settings;
    }

    Expression expression(Constraint constraint) {
      if (++nesting > settings.nestingMax()) {
        throw new ConstraintException("", "the constraint is nested too deeply");
      }
      final Expression expression =
          switch (constraint) {
            case Constraint.Text(String text) -> Expression.text(counted(text));
            case Constraint.ControlToken(String text) -> new Expression.ControlToken(counted(text));
            case Constraint.Regex(String pattern) ->
                RegexParser.whole(counted(pattern), settings.nestingMax());
            case Constraint.JsonSchema(String schema) ->
                SchemaCompiler.compile(counted(schema), rules, json, settings);
            case Constraint.Gbnf(String grammar) ->
                GbnfParser.parse(counted(grammar), settings.nestingMax(), rules);
            case Constraint.OneOf(List<Constraint> options) ->
                new Expression.OneOf(expressions(options));
            case Constraint.Sequence(List<Constraint> parts) ->
                new Expression.Sequence(expressions(parts));
            case Constraint.Repeated(Constraint part) -> Expression.anyNumberOf(expression(part));
          };
      nesting--;
      return expression;
    }

    private List<Expression> expressions(List<Constraint> constraints) {
      final List<Expression> expressions = new ArrayList<>();
      for (Constraint constraint : constraints) expressions.add(expression(constraint));
      return expressions;
    }

    private String counted(String text) {
      characters += text.length();
      if (characters > settings.sourceCharactersMax()) {
        throw new ConstraintException(
            "",
            "the grammar has more than %d characters, the limit stator.grammar.source-characters-max"
                .formatted(settings.sourceCharactersMax()));
      }
      if (!StringForms.isWellFormed(text)) {
        throw new ConstraintException("", "a text has half a character (an unpaired surrogate)");
      }
      return text;
    }
  }
}
