package dev.stator.model.text.template;

/**
 * A name or attribute that is not there: prints as nothing, is false and empty, and fails at any
 * other use.
 *
 * @param reason what is missing, as a sentence
 */
record Undefined(String reason) {
  static Undefined name(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  static Undefined attribute(Object owner, Object name) {
    return name instanceof String
        ? new Undefined("'" + Types.name(owner) + " object' has no attribute '" + name + "'")
        : new Undefined(
            Types.name(owner)
                + " object has no element "
                + (name instanceof Number ? name : "of that key"));
  }

  TemplateFault fault() {
    return new TemplateFault(reason);
  }
}
