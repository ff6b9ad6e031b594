package dev.stator.model.grammar;

import java.util.List;

/** What all kinds of constraints come down to: regular expressions over characters, and calls. */
sealed interface Expression {
  Expression NOTHING = new Sequence(List.of());

  /** Exactly this text. */
  record Text(String text) implements Expression {}

  /** One of these characters; none at all where the set is empty. */
  record Characters(CharacterSet set) implements Expression {}

  /** A control token by its text. */
  record ControlToken(String text) implements Expression {}

  /** One behind the other. */
  record Sequence(List<Expression> parts) implements Expression {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** Any one of these. */
  record OneOf(List<Expression> options) implements Expression {
    public OneOf {
      options = List.copyOf(options);
    }
  }

  /**
   * So many times.
   *
   * @param max {@link #UNBOUNDED} for any number
   */
  record Repeated(Expression part, int min, int max) implements Expression {}

  /** What the rule of this number says. */
  record Call(int rule) implements Expression {}

  /**
   * Some of these, in order, with separators between.
   *
   * @param further what may follow any number of times, separated as well; {@code null} for nothing
   */
  record Members(List<Member> members, Expression separator, Expression further)
      implements Expression {
    public Members {
      members = List.copyOf(members);
    }
  }

  /** One of {@link Members}. */
  record Member(Expression expression, boolean required) {}

  /**
   * A character other than those that would make the text one of {@code words}: any text of {@code
   * characters} but these.
   */
  record Except(List<String> words, CharacterSet characters) implements Expression {
    public Except {
      words = List.copyOf(words);
    }
  }

  /** As {@link Repeated}'s {@code max}. */
  int UNBOUNDED = -1;

  static Expression sequence(Expression... parts) {
    return new Sequence(List.of(parts));
  }

  static Expression oneOf(Expression... options) {
    return new OneOf(List.of(options));
  }

  static Expression text(String text) {
    return new Text(text);
  }

  static Expression characters(CharacterSet set) {
    return new Characters(set);
  }

  static Expression optional(Expression part) {
    return new Repeated(part, 0, 1);
  }

  static Expression anyNumberOf(Expression part) {
    return new Repeated(part, 0, UNBOUNDED);
  }

  static Expression atLeastOne(Expression part) {
    return new Repeated(part, 1, UNBOUNDED);
  }
}
