package dev.stator.model.grammar;

import java.util.List;

/**
 * What an answer's text must be, whole: a value that travels with its request. What it says is
 * checked by {@link ConstraintCompiler#check}, not here.
 */
public sealed interface Constraint {
  /** As it travels: one JSON text, equal for equal constraints. */
  default String toText() {
    return ConstraintText.write(this);
  }

  /**
   * The constraint of a {@link #toText}.
   *
   * @throws ConstraintException when it is none
   */
  static Constraint ofText(String text) {
    return ConstraintText.read(text);
  }

  /** Any JSON object. */
  Constraint JSON_OBJECT = new JsonSchema("{\"type\":\"object\"}");

  /** Exactly this text. */
  record Text(String text) implements Constraint {}

  /**
   * One control token, by its text, such as {@code [ARGS]}: the only way for one into an answer.
   */
  record ControlToken(String text) implements Constraint {}

  /** A JSON value that the schema, a JSON text itself, allows. */
  record JsonSchema(String schema) implements Constraint {}

  /** A text that the regular expression matches as a whole. */
  record Regex(String pattern) implements Constraint {}

  /** A text of a grammar in llama.cpp's GBNF notation, whose first rule is {@code root}. */
  record Gbnf(String grammar) implements Constraint {}

  /** Any one of several. */
  record OneOf(List<Constraint> options) implements Constraint {
    public OneOf {
      options = List.copyOf(options);
    }
  }

  /** One behind the other. */
  record Sequence(List<Constraint> parts) implements Constraint {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** Any number of times, one behind the other. */
  record Repeated(Constraint part) implements Constraint {}
}
