package dev.stator.model.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a grammar in llama.cpp's GBNF notation.
 *
 * <pre>
 *   rule         name "::=" alternatives, to the line's end; goes on inside parentheses and behind "|"
 *   alternatives sequence { "|" sequence }
 *   item         ( "text" | [characters] | [^characters] | . | name | "(" alternatives ")" )
 *                [ * | + | ? | {m} | {m,} | {m,n} ]
 *   escapes      \n \r \t \\ \" \[ \] \xHH \\uHHHH \\UHHHHHHHH
 *   comment      # to the line's end
 * </pre>
 */
final class GbnfParser {
  private static final String ROOT = "root";
  private static final int COUNT_DIGITS_MAX = 9;

  private final String text;
  private final int nestingMax;
  private final RuleTable rules;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<String> undefined = new ArrayList<>();
  private int at;
  private int nesting;

  private GbnfParser(String text, int nestingMax, RuleTable rules) {
    this.text = text;
    this.nestingMax = nestingMax;
    this.rules = rules;
  }

  /** The text's root rule; all its rules are added to {@code rules}. */
  static Expression parse(String text, int nestingMax, RuleTable rules) {
    return new GbnfParser(text, nestingMax, rules).parse();
  }

  private Expression parse() {
    space(true);
    while (at < text.length()) rule();
    if (!numbers.containsKey(ROOT)) {
      throw new ConstraintException("", "the grammar has no rule named 'root'");
    }
    for (String name : undefined) {
      if (!rules.isDefined(numbers.get(name))) {
        throw new ConstraintException(
            "", "the grammar uses a rule '%s' that it does not define".formatted(name));
      }
    }
    return new Expression.Call(numbers.get(ROOT));
  }

  private void rule() {
    final String name = name();
    space(false);
    if (!text.startsWith("::=", at)) throw fault("'::=' is expected behind the name of a rule");
    at += 3;
    space(true);
    final int number = number(name);
    if (rules.isDefined(number)) throw fault("the rule '%s' is defined twice".formatted(name));
    rules.define(number, alternatives());
    if (at < text.length() && peek() != '\n' && peek() != '\r') {
      throw fault("'%s' is not expected here".formatted(text.substring(at, at + 1)));
    }
    space(true);
  }

  private int number(String name) {
    return numbers.computeIfAbsent(name, rules::declare);
  }

  private String name() {
    final int start = at;
    while (at < text.length() && isNameCharacter(peek())) at++;
    if (at == start) throw fault("the name of a rule is expected");
    return text.substring(start, at);
  }

  private static boolean isNameCharacter(char c) {
    return c == '-' || c < 128 && CharacterSet.WORD.contains(c);
  }

  private Expression alternatives() {
    final List<Expression> options = new ArrayList<>();
    options.add(sequence());
    while (barFollows()) {
      at++;
      space(true);
      options.add(sequence());
    }
    return new Expression.OneOf(options);
  }

  /** A bar may stand at the beginning of the next line as well. */
  private boolean barFollows() {
    final int before = at;
    space(true);
    if (at < text.length() && peek() == '|') return true;
    at = before;
    return false;
  }

  private Expression sequence() {
    final List<Expression> items = new ArrayList<>();
    while (at < text.length()) {
      final char c = peek();
      if (c == '|' || c == ')' || c == '\n' || c == '\r') break;
      items.add(repeated(item()));
    }
    return new Expression.Sequence(items);
  }

  private Expression item() {
    final char c = peek();
    final Expression item;
    if (c == '"') {
      item = literal();
    } else if (c == '[') {
      item = Expression.characters(characters());
    } else if (c == '.') {
      at++;
      item = Expression.characters(CharacterSet.ALL);
    } else if (c == '(') {
      item = group();
    } else if (isNameCharacter(c)) {
      final String name = name();
      undefined.add(name);
      item = new Expression.Call(number(name));
    } else {
      throw fault("'%s' is not expected here".formatted(Character.toString(text.codePointAt(at))));
    }
    space(nesting > 0);
    return item;
  }

  private Expression group() {
    if (nesting == nestingMax) {
      throw fault(
          "more than %d groups within each other (stator.grammar.nesting-max)"
              .formatted(nestingMax));
    }
    at++;
    nesting++;
    space(true);
    final Expression inner = alternatives();
    space(true);
    nesting--;
    if (at == text.length() || peek() != ')') throw fault("')' is expected");
    at++;
    return inner;
  }

  private Expression repeated(Expression item) {
    Expression repeated = item;
    int repetitions = 0;
    while (at < text.length() && "*+?{".indexOf(peek()) >= 0) {
      final char c = text.charAt(at++);
      repeated =
          switch (c) {
            case '*' -> Expression.anyNumberOf(repeated);
            case '+' -> Expression.atLeastOne(repeated);
            case '?' -> Expression.optional(repeated);
            default -> counted(repeated);
          };
      space(nesting > 0);
      if (++repetitions > nestingMax) { // Each is a level of the expression.
        throw fault("more than %d repetitions of one item".formatted(nestingMax));
      }
    }
    return repeated;
  }

  private Expression counted(Expression item) {
    space(nesting > 0);
    final int min = count();
    int max = min;
    space(nesting > 0);
    if (at < text.length() && peek() == ',') {
      at++;
      space(nesting > 0);
      max = at < text.length() && peek() == '}' ? Expression.UNBOUNDED : count();
      space(nesting > 0);
    }
    if (at == text.length() || peek() != '}') throw fault("'}' is expected");
    at++;
    if (max != Expression.UNBOUNDED && max < min) throw fault("{m,n} with m > n");
    return new Expression.Repeated(item, min, max);
  }

  private int count() {
    final int start = at;
    while (at < text.length() && peek() >= '0' && peek() <= '9') at++;
    if (at == start || at - start > COUNT_DIGITS_MAX)
      throw fault("a count of repetitions is expected");
    return Integer.parseInt(text, start, at, 10);
  }

  private Expression literal() {
    at++;
    final StringBuilder literal = new StringBuilder();
    while (at < text.length() && peek() != '"') literal.appendCodePoint(character());
    if (at == text.length()) throw fault("a text has no closing '\"'");
    at++;
    return Expression.text(literal.toString());
  }

  private CharacterSet characters() {
    at++;
    final boolean isNegated = at < text.length() && peek() == '^';
    if (isNegated) at++;
    CharacterSet set = CharacterSet.EMPTY;
    while (at < text.length() && peek() != ']') {
      final int first = character();
      final boolean isRange =
          text.startsWith("-", at) && at + 1 < text.length() && text.charAt(at + 1) != ']';
      int last = first;
      if (isRange) {
        at++;
        last = character();
        if (last < first) throw fault("a range of characters goes backwards");
      }
      set = set.or(CharacterSet.of(first, last));
    }
    if (at == text.length()) throw fault("characters have no closing ']'");
    at++;
    return isNegated ? set.not() : set;
  }

  private int character() {
    int character = text.codePointAt(at);
    at += Character.charCount(character);
    if (character == '\\') {
      if (at == text.length()) throw fault("a backslash is the last character");
      final char c = text.charAt(at++);
      character =
          switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case '\\', '"', '[', ']' -> c;
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            case 'U' -> hex(8);
            default -> throw fault("\\%s is no escape".formatted(c));
          };
    }
    final boolean isSurrogate =
        character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE;
    if (isSurrogate || character > Character.MAX_CODE_POINT || character < 0) {
      throw fault("this is no character of Unicode");
    }
    return character;
  }

  private int hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      final int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
      if (digit < 0) throw fault("%d hexadecimal digits are expected".formatted(digits));
      value = value << 4 | digit;
      at++;
    }
    return value;
  }

  /** Reads over spaces and comments, over line ends too where the grammar goes on behind them. */
  private void space(boolean overLines) {
    while (at < text.length()) {
      final char c = peek();
      if (c == '#') {
        while (at < text.length() && peek() != '\n' && peek() != '\r') at++;
      } else if (c == ' ' || c == '\t' || overLines && (c == '\n' || c == '\r')) {
        at++;
      } else {
        return;
      }
    }
  }

  private char peek() {
    return text.charAt(at);
  }

  private ConstraintException fault(String problem) {
    final long line = text.substring(0, Math.min(at, text.length())).lines().count();
    final boolean isAtLineStart = at > 0 && at <= text.length() && text.charAt(at - 1) == '\n';
    return new ConstraintException("line " + Math.max(1, isAtLineStart ? line + 1 : line), problem);
  }
}
