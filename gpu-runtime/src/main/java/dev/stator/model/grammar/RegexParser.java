package dev.stator.model.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads a regular expression: what Java, Python, ECMA-262 and RE2 have in common. {@code \d},
 * {@code \w} and {@code \s} are ASCII's, {@code .} is anything but a line feed or carriage return.
 * Look-around, back references, word boundaries, possessive quantifiers and flags are refused, as
 * are anchors anywhere but at the beginning and end.
 */
final class RegexParser {
  private static final CharacterSet DOT = CharacterSet.of('\n').or(CharacterSet.of('\r')).not();
  private static final int COUNT_DIGITS_MAX = 9;

  /** A text's own beginning or end, until it is known whether it stands there. */
  private static final Expression BEGIN = new Expression.Text("^begin");

  private static final Expression END = new Expression.Text("end$");

  private final String pattern;
  private final int nestingMax;
  private int at;
  private int nesting;

  private RegexParser(String pattern, int nestingMax) {
    this.pattern = pattern;
    this.nestingMax = nestingMax;
  }

  /** What the pattern matches as a whole. */
  static Expression whole(String pattern, int nestingMax) {
    final RegexParser parser = new RegexParser(pattern, nestingMax);
    return parser.withoutAnchors(parser.parse(), true, true);
  }

  /** The texts in which the pattern finds a match. */
  static Expression found(String pattern, int nestingMax) {
    final RegexParser parser = new RegexParser(pattern, nestingMax);
    final Expression parsed = parser.parse();
    final List<Expression> options =
        parsed instanceof Expression.OneOf(var all) ? all : List.of(parsed);
    final Expression anything = Expression.anyNumberOf(Expression.characters(CharacterSet.ALL));
    final List<Expression> found = new ArrayList<>();
    for (Expression option : options) {
      final List<Expression> parts =
          option instanceof Expression.Sequence(var all) ? all : List.of(option);
      final boolean begins = !parts.isEmpty() && parts.getFirst() == BEGIN;
      final boolean ends = !parts.isEmpty() && parts.getLast() == END;
      found.add(
          Expression.sequence(
              begins ? Expression.NOTHING : anything,
              parser.withoutAnchors(option, begins, ends),
              ends ? Expression.NOTHING : anything));
    }
    return new Expression.OneOf(found);
  }

  private Expression parse() {
    final Expression parsed = options();
    if (at < pattern.length()) throw fault("')' without its '('");
    return parsed;
  }

  /**
   * Takes the anchors out.
   *
   * @param first whether the expression stands at the text's beginning
   * @param last whether at its end
   */
  private Expression withoutAnchors(Expression expression, boolean first, boolean last) {
    if (expression == BEGIN || expression == END) {
      if (expression == BEGIN ? first : last) return Expression.NOTHING;
      throw new ConstraintException(
          "", "'^' and '$' can only stand at the beginning and the end of a pattern");
    }
    return switch (expression) {
      case Expression.Sequence(var parts) -> {
        int leading = 0;
        while (leading < parts.size() && parts.get(leading) == BEGIN) leading++;
        int trailing = parts.size();
        while (trailing > leading && parts.get(trailing - 1) == END) trailing--;
        if (leading > 0 && !first || trailing < parts.size() && !last) {
          withoutAnchors(leading > 0 && !first ? BEGIN : END, false, false);
        }
        final List<Expression> inner = parts.subList(leading, trailing);
        final List<Expression> rest = new ArrayList<>();
        for (int i = 0; i < inner.size(); i++) {
          final boolean isLast = i == inner.size() - 1;
          rest.add(withoutAnchors(inner.get(i), first && i == 0, last && isLast));
        }
        yield new Expression.Sequence(rest);
      }
      case Expression.OneOf(var options) ->
          new Expression.OneOf(
              options.stream().map(option -> withoutAnchors(option, first, last)).toList());
      case Expression.Repeated(var part, var min, var max) ->
          new Expression.Repeated(withoutAnchors(part, false, false), min, max);
      default -> expression;
    };
  }

  private Expression options() {
    final List<Expression> options = new ArrayList<>();
    do {
      options.add(sequence());
    } while (take('|'));
    return options.size() == 1 ? options.getFirst() : new Expression.OneOf(options);
  }

  private Expression sequence() {
    final List<Expression> parts = new ArrayList<>();
    while (at < pattern.length() && peek() != '|' && peek() != ')') parts.add(quantified());
    return parts.size() == 1 ? parts.getFirst() : new Expression.Sequence(parts);
  }

  private Expression quantified() {
    final int start = at;
    final Expression atom = atom();
    if (at == pattern.length()) return atom;
    final int min;
    final int max;
    if (take('*')) {
      min = 0;
      max = Expression.UNBOUNDED;
    } else if (take('+')) {
      min = 1;
      max = Expression.UNBOUNDED;
    } else if (take('?')) {
      min = 0;
      max = 1;
    } else if (peek() == '{') {
      at++;
      min = count();
      max = take(',') ? peek() == '}' ? Expression.UNBOUNDED : count() : min;
      if (!take('}')) throw fault("'{' that begins no {m}, {m,} or {m,n}; a brace itself is \\{");
      if (max != Expression.UNBOUNDED && max < min) throw fault("more at least than at most");
    } else {
      return atom;
    }
    if (atom == BEGIN || atom == END) throw fault("nothing to repeat");
    take('?'); // Lazy or not, the same texts match.
    if (at < pattern.length() && "*+?{".indexOf(peek()) >= 0) {
      throw fault("a quantifier behind a quantifier");
    }
    if (at == start) throw fault("nothing to repeat");
    return new Expression.Repeated(atom, min, max);
  }

  private int count() {
    final int start = at;
    while (at < pattern.length() && Character.digit(peek(), 10) >= 0 && peek() < 128) at++;
    if (at == start || at - start > COUNT_DIGITS_MAX) {
      at = start;
      throw fault("no count of repetitions; a brace itself is \\{");
    }
    return Integer.parseInt(pattern, start, at, 10);
  }

  private Expression atom() {
    final char c = peek();
    switch (c) {
      case '(' -> {
        return group();
      }
      case '*', '+', '?', '{' -> throw fault("nothing to repeat");
      case '^', '$', '.' -> {
        at++;
        return c == '^' ? BEGIN : c == '$' ? END : Expression.characters(DOT);
      }
      case '[' -> {
        at++;
        return Expression.characters(new RegexCharacters(pattern, at).set(end -> at = end));
      }
      case '\\' -> {
        return escaped();
      }
      default -> {
        final int character = pattern.codePointAt(at);
        if (Character.isSurrogate(c) && character == c) throw fault("half a character");
        at += Character.charCount(character);
        return Expression.text(Character.toString(character));
      }
    }
  }

  private Expression escaped() {
    if (at + 1 == pattern.length()) throw fault("a backslash at the end");
    final char c = pattern.charAt(at + 1);
    if (c == 'A') {
      at += 2;
      return BEGIN;
    }
    if (c == 'z' || c == 'Z') {
      at += 2;
      return END;
    }
    return Expression.characters(new RegexCharacters(pattern, at).escape(end -> at = end));
  }

  private Expression group() {
    if (nesting == nestingMax) {
      throw fault(
          "more than %d groups within each other (stator.grammar.nesting-max)"
              .formatted(nestingMax));
    }
    at++;
    if (take('?')) {
      if (pattern.startsWith("P<", at)) at++;
      final boolean isNamed =
          pattern.startsWith("<", at)
              && !pattern.startsWith("<=", at)
              && !pattern.startsWith("<!", at);
      final int end = isNamed ? pattern.indexOf('>', at) : at;
      if (isNamed ? end < 0 : !pattern.startsWith(":", at)) {
        throw fault("only groups that begin with (, (?: or (?<name> are supported");
      }
      at = end + 1;
    }
    nesting++;
    final Expression inner = options();
    nesting--;
    if (!take(')')) throw fault("'(' without its ')'");
    // A group is not mixed up with what stands around it.
    return inner instanceof Expression.Sequence ? new Expression.OneOf(List.of(inner)) : inner;
  }

  private char peek() {
    return at < pattern.length() ? pattern.charAt(at) : '\0';
  }

  private boolean take(char c) {
    if (at == pattern.length() || pattern.charAt(at) != c) return false;
    at++;
    return true;
  }

  private ConstraintException fault(String problem) {
    return new ConstraintException("character " + (at + 1), "the pattern has " + problem);
  }
}
