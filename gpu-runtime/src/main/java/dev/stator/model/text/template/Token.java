package dev.stator.model.text.template;

/**
 * One token of a template.
 *
 * @param value a name's or an operator's text, a literal's value, or the text between tags
 */
record Token(Kind kind, Object value, int line) {
  enum Kind {
    DATA("text"),
    PRINT_BEGIN("begin of print statement"),
    PRINT_END("end of print statement"),
    TAG_BEGIN("begin of statement block"),
    TAG_END("end of statement block"),
    NAME("name"),
    STRING("string"),
    NUMBER("number"),
    OPERATOR("operator"),
    END("end of template");

    private final String description;

    Kind(String description) {
      this.description = description;
    }
  }

  boolean is(Kind wanted) {
    return kind == wanted;
  }

  boolean isOperator(String text) {
    return kind == Kind.OPERATOR && value.equals(text);
  }

  boolean isName(String text) {
    return kind == Kind.NAME && value.equals(text);
  }

  String text() {
    return (String) value;
  }

  /** For messages. */
  String describe() {
    return switch (kind) {
      case NAME, OPERATOR -> "'" + value + "'";
      case DATA, PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, STRING, NUMBER, END ->
          kind.description;
    };
  }
}
