package dev.stator.model.text.template;

import dev.stator.model.text.template.Expression.Relation;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** The tests by name: what may stand after {@code is}. */
final class Tests {
  private static final Map<String, Method<Object>> TESTS = tests();

  private Tests() {}

  static boolean holds(Budget budget, String name, Object value, Arguments arguments) {
    final Method<Object> test = TESTS.get(name);
    if (test == null) {
      throw new TemplateFault("there is no test named '" + name + "'");
    }
    return (Boolean) test.call(budget, value, arguments);
  }

  private static Map<String, Method<Object>> tests() {
    final Map<String, Method<Object>> tests = new HashMap<>();
    addTypes(tests);
    addRelations(tests);
    add(tests, "odd", (b, v, a) -> remainder(b, v, 2L, 1L));
    add(tests, "even", (b, v, a) -> remainder(b, v, 2L, 0L));
    add(tests, "divisibleby", (b, v, a) -> remainder(b, v, a[0], 0L), "num");
    add(tests, "lower", (b, v, a) -> LetterCase.isLower(Repr.str(b, v)));
    add(tests, "upper", (b, v, a) -> LetterCase.isUpper(Repr.str(b, v)));
    add(tests, "filter", (b, v, a) -> v instanceof String name && Filters.exists(name));
    add(tests, "test", (b, v, a) -> v instanceof String name && TESTS.containsKey(name));
    add(tests, "sameas", (b, v, a) -> isSame(b, v, a[0]), "other");
    return Map.copyOf(tests);
  }

  private static void add(
      Map<String, Method<Object>> tests,
      String name,
      Method.Body<Object> body,
      String... parameters) {
    tests.put(name, Method.of(Signature.of(name, parameters), body));
  }

  private static void addTypes(Map<String, Method<Object>> tests) {
    final Map<String, Predicate<Object>> types = new HashMap<>();
    types.put("defined", value -> !(value instanceof Undefined));
    types.put("undefined", value -> value instanceof Undefined);
    types.put("none", value -> value == NoneValue.NONE);
    types.put("boolean", value -> value instanceof Boolean);
    types.put("true", Boolean.TRUE::equals);
    types.put("false", Boolean.FALSE::equals);
    types.put("integer", value -> Types.isInteger(value) && !(value instanceof Boolean));
    types.put("float", value -> value instanceof Double);
    types.put("number", Types::isNumber);
    types.put("string", value -> value instanceof String);
    types.put("mapping", value -> value instanceof DictValue);
    types.put("iterable", Iteration::isIterable);
    types.put("sequence", Tests::isSequence);
    types.put("callable", Types::isCallable);
    types.put("escaped", value -> false);
    types.forEach((name, type) -> add(tests, name, (b, v, a) -> type.test(v)));
  }

  private static boolean isSequence(Object value) {
    return value instanceof String
        || value instanceof Sequence
        || value instanceof DictValue
        || value instanceof Undefined;
  }

  private static void addRelations(Map<String, Method<Object>> tests) {
    final Map<Relation, Set<String>> names =
        Map.of(
            Relation.EQUAL, Set.of("==", "eq", "equalto"),
            Relation.NOT_EQUAL, Set.of("!=", "ne"),
            Relation.GREATER, Set.of(">", "gt", "greaterthan"),
            Relation.GREATER_OR_EQUAL, Set.of(">=", "ge"),
            Relation.LESS, Set.of("<", "lt", "lessthan"),
            Relation.LESS_OR_EQUAL, Set.of("<=", "le"),
            Relation.IN, Set.of("in"));
    names.forEach((relation, all) ->
        all.forEach(name ->
            add(tests, name, (b, v, a) -> Comparison.holds(b, relation, v, a[0]), "other")));
  }

  private static boolean remainder(Budget budget, Object value, Object divisor, Object wanted) {
    return Comparison.equal(
        budget, Arithmetic.apply(budget, Expression.Operator.MODULO, value, divisor), wanted);
  }

  /** Identity; for numbers and strings, whose identity Python does not promise, equality. */
  private static boolean isSame(Budget budget, Object a, Object b) {
    final boolean plain = Types.isNumber(a) || a instanceof String;
    return a == b || (plain && a.getClass() == b.getClass() && Comparison.equal(budget, a, b));
  }
}
