package dev.stator.model.text.template;

import java.util.List;

/** An expression's tree. Immutable. */
sealed interface Expression {
  /** Operators that take two numbers, or strings and lists where Python has it so. */
  enum Operator {
    ADD("+"),
    SUBTRACT("-"),
    MULTIPLY("*"),
    DIVIDE("/"),
    FLOOR_DIVIDE("//"),
    MODULO("%"),
    POWER("**");

    private final String symbol;

    Operator(String symbol) {
      this.symbol = symbol;
    }

    String symbol() {
      return symbol;
    }
  }

  enum Relation {
    EQUAL("=="),
    NOT_EQUAL("!="),
    LESS("<"),
    LESS_OR_EQUAL("<="),
    GREATER(">"),
    GREATER_OR_EQUAL(">="),
    IN("in"),
    NOT_IN("not in");

    private final String symbol;

    Relation(String symbol) {
      this.symbol = symbol;
    }

    String symbol() {
      return symbol;
    }
  }

  record Literal(Object value) implements Expression {}

  record Name(String name) implements Expression {}

  record ListOf(List<Expression> items) implements Expression {}

  record TupleOf(List<Expression> items) implements Expression {}

  record DictOf(List<Expression> keys, List<Expression> values) implements Expression {}

  record Sign(boolean negative, Expression operand) implements Expression {}

  record Not(Expression operand) implements Expression {}

  record And(Expression left, Expression right) implements Expression {}

  record Or(Expression left, Expression right) implements Expression {}

  record Binary(Operator operator, Expression left, Expression right) implements Expression {}

  record Concat(List<Expression> parts) implements Expression {}

  record Compare(Expression first, List<Operand> rest) implements Expression {}

  /** One link of a chain such as {@code a < b <= c}. */
  record Operand(Relation relation, Expression expression) {}

  /**
   * {@code then if test else otherwise}.
   *
   * @param otherwise null where it was left out
   */
  record Conditional(Expression test, Expression then, Expression otherwise)
      implements Expression {}

  record Attribute(Expression target, String name, int line) implements Expression {}

  record Item(Expression target, Expression index, int line) implements Expression {}

  /** {@code target[start:stop:step]}; what was left out is null. */
  record Slice(Expression target, Expression start, Expression stop, Expression step, int line)
      implements Expression {}

  record Call(Expression callee, Actuals actuals, int line) implements Expression {}

  record Filter(Expression input, String name, Actuals actuals, int line) implements Expression {}

  record Test(Expression input, String name, Actuals actuals, int line) implements Expression {}

  /**
   * What a call passes.
   *
   * @param extraPositional of {@code *x}, or null
   * @param extraNamed of {@code **x}, or null
   */
  record Actuals(
      List<Expression> positional,
      List<Named> named,
      Expression extraPositional,
      Expression extraNamed) {
    static final Actuals NONE = new Actuals(List.of(), List.of(), null, null);
  }

  record Named(String name, Expression value) {}
}
