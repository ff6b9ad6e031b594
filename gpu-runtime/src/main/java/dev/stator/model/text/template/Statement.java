package dev.stator.model.text.template;

import java.util.List;

/** A statement's tree. Immutable. */
sealed interface Statement {
  record Text(String text) implements Statement {}

  record Print(Expression value, int line) implements Statement {}

  record Assign(Target target, Expression value, int line) implements Statement {}

  /**
   * {@code {% set x | filter %}...{% endset %}}.
   *
   * @param value the body's text, filtered: an expression over {@link #BODY}
   */
  record AssignBlock(Target target, Expression value, List<Statement> body, int line)
      implements Statement {}

  record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

  record Branch(Expression test, List<Statement> body, int line) {}

  /**
   * A loop.
   *
   * @param test which items it sees; null for all
   */
  record For(
      Target target,
      Expression items,
      Expression test,
      boolean recursive,
      List<Statement> body,
      List<Statement> otherwise,
      int line)
      implements Statement {}

  record Macro(String name, Formals formals, List<Statement> body) implements Statement {}

  /** {@code {% call(formals) callee() %}...{% endcall %}}: the body is the callee's caller. */
  record CallBlock(Formals formals, Expression.Call call, List<Statement> body, int line)
      implements Statement {}

  record FilterBlock(Expression value, List<Statement> body, int line) implements Statement {}

  record With(List<Target> targets, List<Expression> values, List<Statement> body, int line)
      implements Statement {}

  /** Statements with names of their own, such as a {@code generation} block. */
  record Scoped(List<Statement> body) implements Statement {}

  record Break() implements Statement {}

  record Continue() implements Statement {}

  /** Where a block's text waits for its filters; no template can write this name. */
  String BODY = "\0body";

  /**
   * A macro's parameters.
   *
   * @param defaults of the last parameters
   * @param specials which of caller, varargs and kwargs the body uses without declaring them
   */
  record Formals(List<String> names, List<Expression> defaults, List<String> specials) {}

  /** What can stand left of an equals sign. */
  sealed interface Target {
    record Name(String name) implements Target {}

    record NamespaceAttribute(String namespace, String attribute) implements Target {}

    record Tuple(List<Target> parts) implements Target {}
  }
}
