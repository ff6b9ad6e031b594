package dev.stator.model.text.template;

import dev.stator.model.text.template.Token.Kind;
import java.util.List;

/** The parser's view of the tokens: one current, one ahead. */
final class TokenStream {
  private final List<Token> tokens;
  private final int nestingMax;
  private int position;
  private int nesting;

  /**
   * @param nestingMax how deep expressions and statements may nest while they are parsed
   */
  TokenStream(List<Token> tokens, int nestingMax) {
    this.tokens = tokens;
    this.nestingMax = nestingMax;
  }

  Token current() {
    return tokens.get(position);
  }

  Token ahead() {
    return tokens.get(Math.min(position + 1, tokens.size() - 1));
  }

  int line() {
    return current().line();
  }

  /** Takes the current token; the end stays where it is. */
  Token next() {
    final Token token = current();
    if (position < tokens.size() - 1) {
      position++;
    }
    return token;
  }

  boolean skipOperator(String text) {
    final boolean found = current().isOperator(text);
    if (found) {
      next();
    }
    return found;
  }

  boolean skipName(String text) {
    final boolean found = current().isName(text);
    if (found) {
      next();
    }
    return found;
  }

  Token expect(Kind kind) {
    if (!current().is(kind)) {
      throw fail(
          "expected a "
              + kind.name().toLowerCase(java.util.Locale.ROOT)
              + ", got "
              + current().describe());
    }
    return next();
  }

  void expectOperator(String text) {
    if (!skipOperator(text)) {
      throw fail("expected '" + text + "', got " + current().describe());
    }
  }

  void expectName(String text) {
    if (!skipName(text)) {
      throw fail("expected '" + text + "', got " + current().describe());
    }
  }

  TemplateFault fail(String message) {
    return new TemplateFault(message, line());
  }

  void enter() {
    if (++nesting > nestingMax) {
      throw fail("the template nests deeper than " + nestingMax + " levels");
    }
  }

  void leave() {
    nesting--;
  }
}
