package dev.stator.model.text.template;

import dev.stator.model.text.template.Statement.Formals;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A macro, or the body of a call block. */
final class Macro implements Function, AttributeHolder {
  /** Runs a macro's body, the parameters being in its scope. */
  @FunctionalInterface
  interface Body {
    String run(Scope scope);
  }

  private final String name;
  private final Formals formals;
  private final Budget budget;
  private final Scope definedIn;
  private final Evaluator evaluator;
  private final Body body;

  Macro(
      String name,
      Formals formals,
      Budget budget,
      Scope definedIn,
      Evaluator evaluator,
      Body body) {
    this.name = name;
    this.formals = formals;
    this.budget = budget;
    this.definedIn = definedIn;
    this.evaluator = evaluator;
    this.body = body;
  }

  /** Empty for a call block's body. */
  String name() {
    return name;
  }

  @Override
  public Object call(Arguments arguments) {
    final List<String> names = formals.names();
    final Map<String, Object> named = new HashMap<>(arguments.named());
    final Map<String, Object> given = new HashMap<>();
    final int byPosition = Math.min(names.size(), arguments.positional().size());
    for (int i = 0; i < names.size(); i++) {
      final Object value =
          i < byPosition ? arguments.positional().get(i) : named.remove(names.get(i));
      if (value != null) {
        given.put(names.get(i), value);
      }
    }
    final Scope scope = definedIn.inner();
    bindSpecials(scope, arguments, named, byPosition);
    bindParameters(scope, given);
    return body.run(scope);
  }

  private void bindSpecials(
      Scope scope, Arguments arguments, Map<String, Object> named, int byPosition) {
    if (formals.specials().contains("caller")) {
      final Object caller = named.remove("caller");
      final boolean none = caller == null || caller == NoneValue.NONE;
      scope.set(
          "caller",
          none ? new Undefined("there is no caller, the macro is not in a call block") : caller);
    }
    if (formals.specials().contains("kwargs")) {
      final DictValue.Builder kwargs = new DictValue.Builder(budget);
      arguments.named().keySet().stream()
          .filter(named::containsKey)
          .forEach(key -> kwargs.put(key, named.get(key)));
      scope.set("kwargs", kwargs.build());
    } else if (!named.isEmpty()) {
      throw new TemplateFault(
          "macro '"
              + name
              + "' takes no argument named '"
              + named.keySet().iterator().next()
              + "'");
    }
    final List<Object> rest =
        arguments.positional().subList(byPosition, arguments.positional().size());
    if (formals.specials().contains("varargs")) {
      scope.set("varargs", new TupleValue(budget, rest));
    } else if (!rest.isEmpty()) {
      throw new TemplateFault(
          "macro '" + name + "' takes at most " + formals.names().size() + " arguments");
    }
  }

  /** Defaults are evaluated in the macro, in order; a parameter to the right is not there yet. */
  private void bindParameters(Scope scope, Map<String, Object> given) {
    final List<String> names = formals.names();
    for (final String parameter : names) {
      final Object value = given.get(parameter);
      scope.set(
          parameter,
          value == null ? new Undefined("parameter '" + parameter + "' was not provided") : value);
    }
    final int withoutDefault = names.size() - formals.defaults().size();
    for (int i = withoutDefault; i < names.size(); i++) {
      if (!given.containsKey(names.get(i))) {
        scope.set(
            names.get(i), evaluator.evaluate(formals.defaults().get(i - withoutDefault), scope));
      }
    }
  }

  @Override
  public Object attribute(String attribute) {
    return switch (attribute) {
      case "name" -> name.isEmpty() ? NoneValue.NONE : name;
      case "arguments" -> new TupleValue(budget, List.copyOf(formals.names()));
      case "catch_kwargs" -> formals.specials().contains("kwargs");
      case "catch_varargs" -> formals.specials().contains("varargs");
      case "caller" -> formals.specials().contains("caller");
      default -> null;
    };
  }

  @Override
  public String typeName() {
    return "Macro";
  }
}
