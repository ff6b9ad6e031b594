package dev.stator.model.text.template;

import dev.stator.model.text.template.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the tokens inside one tag, up to its closing brace. */
final class TagLexer {
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[0-9a-fA-F])++|[1-9](?:_?\\d)*+|0(?:_?0)*+");
  private static final Pattern NAME = Pattern.compile("[\\w]+", Pattern.UNICODE_CHARACTER_CLASS);

  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
          "}", ">", "<", "=", ".", ":", "|", ",", ";");

  /** Digits that an integer literal may have, as Python's own limit. */
  private static final int INTEGER_DIGITS = 4300;

  private final String source;
  private final Kind closing;
  private final List<Token> tokens;
  private final Deque<Character> open = new ArrayDeque<>();
  private int position;
  private int line;
  private char sign = ' ';
  private int end;

  TagLexer(String source, int position, int line, Kind closing, List<Token> tokens) {
    this.source = source;
    this.position = position;
    this.line = line;
    this.closing = closing;
    this.tokens = tokens;
  }

  /** Adds the tokens; returns where the closing brace, or its sign, begins. */
  int read() {
    while (true) {
      skipSpace();
      if (position >= source.length()) {
        throw new TemplateFault("a tag has no end", line);
      }
      if (open.isEmpty() && atClosing()) {
        return position;
      }
      readToken();
    }
  }

  /** The sign before the closing brace, or a blank. */
  char sign() {
    return sign;
  }

  /** Just after the closing brace. */
  int end() {
    return end;
  }

  private boolean atClosing() {
    final String brace = closing == Kind.TAG_END ? "%}" : "}}";
    final char first = source.charAt(position);
    final boolean signed = first == '-' || (first == '+' && closing == Kind.TAG_END);
    if (!source.startsWith(brace, position + (signed ? 1 : 0))) {
      return false;
    }
    sign = signed ? first : ' ';
    end = position + brace.length() + (signed ? 1 : 0);
    return true;
  }

  private void skipSpace() {
    while (position < source.length() && Text.isSpace(source.charAt(position))) {
      if (source.charAt(position++) == '\n') {
        line++;
      }
    }
  }

  private void readToken() {
    final char first = source.charAt(position);
    if (first == '\'' || first == '"') {
      readString(first);
    } else if (first >= '0' && first <= '9') {
      readNumber();
    } else if (Character.isUnicodeIdentifierStart(source.codePointAt(position)) || first == '_') {
      final Matcher name = matcher(NAME);
      add(Kind.NAME, name.lookingAt() ? name.group() : String.valueOf(first), 0);
    } else {
      readOperator();
    }
  }

  private Matcher matcher(Pattern pattern) {
    return pattern.matcher(source).region(position, source.length()).useTransparentBounds(true);
  }

  private void add(Kind kind, Object value, int length) {
    tokens.add(new Token(kind, value, line));
    position += kind == Kind.NAME || kind == Kind.OPERATOR ? ((String) value).length() : length;
  }

  private void readString(char quote) {
    int i = position + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      i += source.charAt(i) == '\\' ? 2 : 1;
    }
    if (i >= source.length()) {
      throw new TemplateFault("a string has no end", line);
    }
    final String body = source.substring(position + 1, i);
    add(Kind.STRING, StringLiteral.unescape(body, line), i + 1 - position);
    line += (int) body.chars().filter(c -> c == '\n').count();
  }

  private void readNumber() {
    final Matcher real = matcher(FLOAT);
    if (real.lookingAt()) {
      add(Kind.NUMBER, Double.valueOf(real.group().replace("_", "")), real.group().length());
      return;
    }
    final Matcher integer = matcher(INTEGER);
    if (!integer.lookingAt() || integer.group().length() > INTEGER_DIGITS) {
      throw new TemplateFault("a number cannot be read", line);
    }
    add(Kind.NUMBER, integer(integer.group().replace("_", "")), integer.group().length());
  }

  private static Object integer(String digits) {
    final char base = digits.length() > 1 ? Character.toLowerCase(digits.charAt(1)) : ' ';
    return switch (base) {
      case 'b' -> Numbers.normal(new BigInteger(digits.substring(2), 2));
      case 'o' -> Numbers.normal(new BigInteger(digits.substring(2), 8));
      case 'x' -> Numbers.normal(new BigInteger(digits.substring(2), 16));
      default -> Numbers.normal(new BigInteger(digits));
    };
  }

  private void readOperator() {
    for (final String operator : OPERATORS) {
      if (source.startsWith(operator, position)) {
        balance(operator.charAt(0));
        add(Kind.OPERATOR, operator, 0);
        return;
      }
    }
    throw new TemplateFault(
        "unexpected character '" + Character.toString(source.codePointAt(position)) + "'", line);
  }

  private void balance(char operator) {
    switch (operator) {
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '{' -> open.push('}');
      case ')', ']', '}' -> {
        if (open.isEmpty() || open.pop() != operator) {
          throw new TemplateFault("unexpected '" + operator + "'", line);
        }
      }
      default -> {}
    }
  }
}
