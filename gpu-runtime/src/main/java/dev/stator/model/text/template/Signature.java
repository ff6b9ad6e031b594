package dev.stator.model.text.template;

import java.util.ArrayList;
import java.util.List;

/**
 * The parameters of a built-in function.
 *
 * @param required how many must be given
 * @param byName whether they may be given by name
 */
record Signature(String function, List<String> names, int required, boolean byName) {
  /** Parameters that may be given by name; those ending in a question mark may be left out. */
  static Signature of(String function, String... parameters) {
    return of(function, true, parameters);
  }

  /** Parameters that can only be given by position. */
  static Signature positional(String function, String... parameters) {
    return of(function, false, parameters);
  }

  private static Signature of(String function, boolean byName, String... parameters) {
    final List<String> names = new ArrayList<>();
    int required = 0;
    for (final String parameter : parameters) {
      final boolean optional = parameter.endsWith("?");
      required += optional ? 0 : 1;
      names.add(optional ? parameter.substring(0, parameter.length() - 1) : parameter);
    }
    return new Signature(function, List.copyOf(names), required, byName);
  }

  /** The arguments in the parameters' order, null where one was left out. */
  Object[] bind(Arguments arguments) {
    if (arguments.positional().size() > names.size()) {
      throw new TemplateFault(
          function
              + "() takes at most "
              + names.size()
              + " arguments, got "
              + arguments.positional().size());
    }
    final Object[] bound = arguments.positional().toArray(new Object[names.size()]);
    arguments.named().forEach((name, value) -> bindNamed(bound, name, value));
    for (int i = 0; i < required; i++) {
      if (bound[i] == null) {
        throw new TemplateFault(function + "() needs the argument '" + names.get(i) + "'");
      }
    }
    return bound;
  }

  private void bindNamed(Object[] bound, String name, Object value) {
    final int index = byName ? names.indexOf(name) : -1;
    if (index < 0) {
      throw new TemplateFault(function + "() has no argument named '" + name + "'");
    }
    if (bound[index] != null) {
      throw new TemplateFault(function + "() got two values for '" + name + "'");
    }
    bound[index] = value;
  }
}
