package dev.stator.model.grammar;

import static dev.stator.model.grammar.Expression.anyNumberOf;
import static dev.stator.model.grammar.Expression.characters;
import static dev.stator.model.grammar.Expression.oneOf;
import static dev.stator.model.grammar.Expression.optional;
import static dev.stator.model.grammar.Expression.sequence;
import static dev.stator.model.grammar.Expression.text;

import java.util.ArrayList;
import java.util.List;

/**
 * JSON's own forms (RFC 8259), each once in a grammar. Between tokens there may be nothing, one
 * space, or a line end and up to {@value #INDENT_MAX} spaces and tabs: room for every common
 * layout, but not for a model that writes spaces for ever.
 */
final class JsonForms {
  static final int INDENT_MAX = 20;

  /** Digits before and behind a number's point: more than any reader keeps. */
  private static final int DIGITS_MAX = 40;

  private static final int EXPONENT_DIGITS_MAX = 3;

  /** Characters that stand for themselves in a string. */
  static final CharacterSet PLAIN =
      CharacterSet.of(' ', Character.MAX_CODE_POINT)
          .without(CharacterSet.of('"').or(CharacterSet.of('\\')));

  private static final CharacterSet HEX =
      CharacterSet.DIGITS.or(CharacterSet.of('a', 'f')).or(CharacterSet.of('A', 'F'));
  private static final Expression HEX_DIGIT = characters(HEX);
  private static final Expression DIGIT = characters(CharacterSet.DIGITS);

  /** Half characters only in pairs. */
  private static final Expression ESCAPE =
      sequence(
          text("\\"),
          oneOf(
              characters(oneOfThese("\"\\/bfnrt")),
              sequence(
                  text("u"),
                  oneOf(
                      sequence(
                          characters(HEX.without(oneOfThese("dD"))),
                          HEX_DIGIT,
                          HEX_DIGIT,
                          HEX_DIGIT),
                      sequence(
                          characters(oneOfThese("dD")),
                          characters(CharacterSet.of('0', '7')),
                          HEX_DIGIT,
                          HEX_DIGIT),
                      sequence(
                          characters(oneOfThese("dD")),
                          characters(oneOfThese("89abAB")),
                          HEX_DIGIT,
                          HEX_DIGIT,
                          text("\\u"),
                          characters(oneOfThese("dD")),
                          characters(oneOfThese("cdefCDEF")),
                          HEX_DIGIT,
                          HEX_DIGIT)))));

  static final Expression STRING_CHARACTER = oneOf(characters(PLAIN), ESCAPE);

  static final Expression WHOLE_NUMBER =
      oneOf(text("0"), sequence(characters(CharacterSet.of('1', '9')), digits(0, DIGITS_MAX - 1)));

  static final Expression INTEGER = sequence(optional(text("-")), WHOLE_NUMBER);

  static final Expression NUMBER =
      sequence(
          INTEGER,
          optional(sequence(text("."), digits(1, DIGITS_MAX))),
          optional(
              sequence(
                  characters(oneOfThese("eE")),
                  optional(characters(oneOfThese("+-"))),
                  digits(1, EXPONENT_DIGITS_MAX))));

  private final RuleTable rules;
  private Expression space;
  private Expression string;
  private Expression value;

  JsonForms(RuleTable rules) {
    this.rules = rules;
  }

  private static Expression digits(int min, int max) {
    return new Expression.Repeated(DIGIT, min, max);
  }

  static CharacterSet oneOfThese(String text) {
    CharacterSet set = CharacterSet.EMPTY;
    for (int i = 0; i < text.length(); i++) set = set.or(CharacterSet.of(text.charAt(i)));
    return set;
  }

  /** What may stand between two tokens. */
  Expression space() {
    if (space == null) {
      space =
          rule(
              "white space",
              optional(
                  oneOf(
                      text(" "),
                      sequence(
                          text("\n"),
                          new Expression.Repeated(characters(oneOfThese(" \t")), 0, INDENT_MAX)))));
    }
    return space;
  }

  Expression string() {
    if (string == null) {
      string = rule("string", sequence(text("\""), anyNumberOf(STRING_CHARACTER), text("\"")));
    }
    return string;
  }

  /** Any value at all. */
  Expression value() {
    if (value == null) {
      final int number = rules.declare("value");
      value = new Expression.Call(number);
      rules.define(
          number,
          oneOf(
              object(List.of(), member(string(), value)),
              array(List.of(), value, 0, Expression.UNBOUNDED),
              string(),
              NUMBER,
              text("true"),
              text("false"),
              text("null")));
    }
    return value;
  }

  private Expression rule(String name, Expression body) {
    final int number = rules.declare(name);
    rules.define(number, body);
    return new Expression.Call(number);
  }

  Expression member(Expression key, Expression memberValue) {
    return sequence(key, space(), text(":"), space(), memberValue);
  }

  private Expression comma() {
    return sequence(space(), text(","), space());
  }

  /**
   * @param further a member that may follow any number of times; {@code null} for none
   */
  Expression object(List<Expression.Member> members, Expression further) {
    return sequence(
        text("{"), space(), new Expression.Members(members, comma(), further), space(), text("}"));
  }

  /**
   * @param first the first elements'; those from the {@code min}th on may be missing
   * @param further those behind; {@code null} for none
   */
  Expression array(List<Expression> first, Expression further, int min, int max) {
    final List<Expression.Member> members = new ArrayList<>();
    for (int i = 0; i < first.size() && (max == Expression.UNBOUNDED || i < max); i++) {
      members.add(new Expression.Member(first.get(i), i < min));
    }
    Expression elements = nested(members, 0);
    final int known = members.size();
    if (further != null && (max == Expression.UNBOUNDED || max > known)) {
      elements = known == 0 ? list(further, min, max) : longer(first, further, min, max);
    }
    return sequence(text("["), space(), elements, space(), text("]"));
  }

  /** An element is there only if the one before it is. */
  private Expression nested(List<Expression.Member> elements, int from) {
    Expression rest = Expression.NOTHING;
    for (int i = elements.size() - 1; i >= from; i--) {
      final Expression element = elements.get(i).expression();
      final Expression taken = sequence(i == 0 ? Expression.NOTHING : comma(), element, rest);
      rest = elements.get(i).required() ? taken : optional(taken);
    }
    return rest;
  }

  private Expression list(Expression element, int min, int max) {
    if (max == 0) return Expression.NOTHING;
    final int furtherMax = max == Expression.UNBOUNDED ? max : max - 1;
    final Expression list =
        sequence(
            element,
            new Expression.Repeated(sequence(comma(), element), Math.max(0, min - 1), furtherMax));
    return min == 0 ? optional(list) : list;
  }

  private Expression longer(List<Expression> first, Expression further, int min, int max) {
    final int known = first.size();
    final int furtherMax = max == Expression.UNBOUNDED ? max : max - known;
    Expression rest =
        new Expression.Repeated(sequence(comma(), further), Math.max(0, min - known), furtherMax);
    for (int i = known - 1; i >= 0; i--) {
      final Expression taken = sequence(i == 0 ? Expression.NOTHING : comma(), first.get(i), rest);
      rest = i < min ? taken : optional(taken);
    }
    return rest;
  }
}
