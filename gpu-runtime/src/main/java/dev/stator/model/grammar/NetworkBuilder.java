package dev.stator.model.grammar;

import dev.stator.model.grammar.Expression.Member;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Makes states and edges of expressions: K. Thompson's construction ("Regular Expression Search
 * Algorithm", CACM 1968), with calls of rules as edges besides.
 */
final class NetworkBuilder {
  private static final int BYTE_MAX = 0xFF;

  private final int statesMax;
  private int stateCount;

  // An edge is three numbers: from, to, and the bytes' range (first << 8 | last) or the rule.
  final IntList emptyEdges = new IntList(); // from, to
  final IntList byteEdges = new IntList();
  final IntList callEdges = new IntList();
  final IntList ruleStarts = new IntList();
  final IntList ruleEnds = new IntList();

  private NetworkBuilder(int statesMax) {
    this.statesMax = statesMax;
  }

  /**
   * The network of a grammar.
   *
   * @throws ConstraintException when it is too large, left-recursive or matches nothing
   */
  static TransitionNetwork build(Grammar grammar, GrammarSettings settings) {
    final NetworkBuilder builder = new NetworkBuilder(settings.statesMax());
    for (int rule = 0; rule < grammar.rules().size(); rule++) {
      builder.ruleStarts.add(builder.newState());
      builder.ruleEnds.add(builder.newState());
    }
    for (int rule = 0; rule < grammar.rules().size(); rule++) {
      final Expression body = grammar.rules().get(rule).body();
      builder.add(body, builder.ruleStarts.get(rule), builder.ruleEnds.get(rule));
    }
    return new NetworkTrimmer(builder, grammar, settings).trim();
  }

  int stateCount() {
    return stateCount;
  }

  private int newState() {
    if (stateCount == statesMax) {
      throw new ConstraintException(
          "",
          "the grammar needs more than %d states, the limit stator.grammar.states-max"
              .formatted(statesMax));
    }
    return stateCount++;
  }

  private void empty(int from, int to) {
    emptyEdges.add(from);
    emptyEdges.add(to);
  }

  private void bytes(int from, int to, int first, int last) {
    byteEdges.add(from);
    byteEdges.add(to);
    byteEdges.add((first & BYTE_MAX) << 8 | last & BYTE_MAX);
  }

  private void add(Expression expression, int from, int to) {
    switch (expression) {
      case Expression.Text(String text) ->
          addBytes(text.getBytes(StandardCharsets.UTF_8), from, to);
      case Expression.ControlToken(String text) -> addBytes(TokenTrie.controlKey(text), from, to);
      case Expression.Characters(CharacterSet set) -> addCharacters(set, from, to);
      case Expression.Sequence(List<Expression> parts) -> addSequence(parts, from, to);
      case Expression.OneOf(List<Expression> options) -> {
        for (Expression option : options) add(option, from, to);
      }
      case Expression.Repeated repeated -> addRepeated(repeated, from, to);
      case Expression.Call(int rule) -> {
        callEdges.add(from);
        callEdges.add(to);
        callEdges.add(rule);
      }
      case Expression.Members members -> addMembers(members, from, to);
      case Expression.Except except -> addExcept(except, from, to);
    }
  }

  private void addBytes(byte[] text, int from, int to) {
    if (text.length == 0) {
      empty(from, to);
      return;
    }
    int at = from;
    for (int i = 0; i < text.length; i++) {
      final int next = i == text.length - 1 ? to : newState();
      bytes(at, next, text[i], text[i]);
      at = next;
    }
  }

  /** Byte ranges that lead to the same end share their states. */
  private void addCharacters(CharacterSet set, int from, int to) {
    final Map<Long, Integer> shared = new HashMap<>();
    Utf8Ranges.split(
        set,
        (first, last) -> {
          int end = to;
          for (int i = first.length - 1; i > 0; i--) {
            final int range = (first[i] & BYTE_MAX) << 8 | last[i] & BYTE_MAX;
            final long key = (long) end << 16 | range;
            final Integer known = shared.get(key);
            if (known == null) {
              final int state = newState();
              bytes(state, end, first[i], last[i]);
              shared.put(key, state);
              end = state;
            } else {
              end = known;
            }
          }
          bytes(from, end, first[0], last[0]);
        });
  }

  private void addSequence(List<Expression> parts, int from, int to) {
    int at = from;
    for (int i = 0; i < parts.size(); i++) {
      final int next = i == parts.size() - 1 ? to : newState();
      add(parts.get(i), at, next);
      at = next;
    }
    if (parts.isEmpty()) empty(from, to);
  }

  private void addRepeated(Expression.Repeated repeated, int from, int to) {
    int at = newState();
    empty(from, at); // So that nothing outside can enter the middle of a loop.
    for (int i = 0; i < repeated.min(); i++) at = addBehind(repeated.part(), at);
    if (repeated.max() == Expression.UNBOUNDED) {
      final int loop = newState();
      empty(at, loop);
      final int end = addBehind(repeated.part(), loop);
      empty(end, loop);
      empty(loop, to);
      return;
    }
    for (int i = repeated.min(); i < repeated.max(); i++) {
      empty(at, to);
      at = addBehind(repeated.part(), at);
    }
    empty(at, to);
  }

  private int addBehind(Expression part, int from) {
    final int end = newState();
    add(part, from, end);
    return end;
  }

  /**
   * <pre>
   *   fresh[i]   no member so far        ──member i──▶ begun[i + 1]
   *   begun[i]   some, next may be i     ──separator──▶ ──member i──▶ begun[i + 1]
   * </pre>
   */
  private void addMembers(Expression.Members members, int from, int to) {
    int fresh = from; // None once a required one must have come.
    int begun = -1;
    for (Member member : members.members()) {
      final int start = newState();
      final int end = newState();
      if (fresh >= 0) empty(fresh, start);
      if (begun >= 0) add(members.separator(), begun, start);
      add(member.expression(), start, end);
      if (member.required()) {
        fresh = -1;
      } else if (begun >= 0) {
        empty(begun, end);
      }
      begun = end;
    }
    if (members.further() != null) {
      final int start = newState();
      final int end = newState();
      if (fresh >= 0) empty(fresh, start);
      if (begun >= 0) add(members.separator(), begun, start);
      add(members.further(), start, end);
      add(members.separator(), end, start);
      empty(end, to);
    }
    if (fresh >= 0) empty(fresh, to);
    if (begun >= 0) empty(begun, to);
  }

  /** A tree of the words; what leaves it is free. */
  private void addExcept(Expression.Except except, int from, int to) {
    final int free = newState();
    addCharacters(except.characters(), free, free);
    empty(free, to);
    final int root = newState();
    empty(from, root);
    final List<int[]> words =
        except.words().stream().map(word -> word.codePoints().toArray()).toList();
    final Deque<Prefix> open = new ArrayDeque<>(List.of(new Prefix(words, 0, root)));
    while (!open.isEmpty()) {
      final Prefix prefix = open.pop();
      if (!prefix.isWord()) empty(prefix.state, to);
      CharacterSet leaving = except.characters();
      for (Map.Entry<Integer, List<int[]>> next : prefix.next().entrySet()) {
        final CharacterSet character = CharacterSet.of(next.getKey());
        if (!except.characters().contains(next.getKey())) continue;
        leaving = leaving.without(character);
        final int state = newState();
        addCharacters(character, prefix.state, state);
        open.push(new Prefix(next.getValue(), prefix.length + 1, state));
      }
      addCharacters(leaving, prefix.state, free);
    }
  }

  /** The beginning that some words share. */
  private record Prefix(List<int[]> words, int length, int state) {
    boolean isWord() {
      return words.stream().anyMatch(word -> word.length == length);
    }

    Map<Integer, List<int[]>> next() {
      final Map<Integer, List<int[]>> next = new TreeMap<>();
      for (int[] word : words) {
        if (word.length == length) continue;
        next.computeIfAbsent(word[length], c -> new ArrayList<>()).add(word);
      }
      return next;
    }
  }
}
