package dev.stator.model.text.template;

import dev.stator.model.text.template.Expression.Operator;
import java.util.ArrayList;
import java.util.List;

/** The binary operators. */
final class Arithmetic {
  private Arithmetic() {}

  static Object apply(Budget budget, Operator operator, Object a, Object b) {
    if (Types.isNumber(a) && Types.isNumber(b)) {
      return numbers(operator, a, b);
    }
    if (operator == Operator.MODULO && a instanceof String format) {
      return PercentFormat.format(budget, format, b);
    }
    requireDefined(a);
    requireDefined(b);
    final Object result =
        switch (operator) {
          case ADD -> add(budget, a, b);
          case MULTIPLY ->
              Types.isInteger(b)
                  ? repeat(budget, a, b)
                  : Types.isInteger(a) ? repeat(budget, b, a) : null;
          case SUBTRACT, DIVIDE, FLOOR_DIVIDE, MODULO, POWER -> null;
        };
    if (result == null) {
      throw new TemplateFault(
          "'"
              + operator.symbol()
              + "' is not defined between '"
              + Types.name(a)
              + "' and '"
              + Types.name(b)
              + "'");
    }
    return result;
  }

  private static void requireDefined(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.fault();
    }
  }

  private static Object numbers(Operator operator, Object a, Object b) {
    return switch (operator) {
      case ADD -> Numbers.add(a, b);
      case SUBTRACT -> Numbers.subtract(a, b);
      case MULTIPLY -> Numbers.multiply(a, b);
      case DIVIDE -> Numbers.divide(a, b);
      case FLOOR_DIVIDE -> Numbers.floorDivide(a, b);
      case MODULO -> Numbers.modulo(a, b);
      case POWER -> Numbers.power(a, b);
    };
  }

  private static Object add(Budget budget, Object a, Object b) {
    if (a instanceof String x && b instanceof String y) {
      budget.text((long) x.length() + y.length());
      return x + y;
    }
    if (a instanceof ListValue x && b instanceof ListValue y) {
      return new ListValue(budget, joined(x.items(), y.items()));
    }
    if (a instanceof TupleValue x && b instanceof TupleValue y) {
      return new TupleValue(budget, joined(x.items(), y.items()));
    }
    return null;
  }

  private static List<Object> joined(List<Object> a, List<Object> b) {
    final List<Object> joined = new ArrayList<>(a.size() + b.size());
    joined.addAll(a);
    joined.addAll(b);
    return joined;
  }

  private static Object repeat(Budget budget, Object value, Object times) {
    final int count = Math.max(0, Numbers.count(times));
    return switch (value) {
      case String text -> {
        budget.text((long) text.length() * count);
        yield text.repeat(text.isEmpty() ? 0 : count);
      }
      case ListValue list -> new ListValue(budget, repeated(budget, list.items(), count));
      case TupleValue tuple -> new TupleValue(budget, repeated(budget, tuple.items(), count));
      default -> null;
    };
  }

  private static List<Object> repeated(Budget budget, List<Object> items, int count) {
    budget.elements((long) items.size() * count);
    final List<Object> repeated = new ArrayList<>();
    for (int i = 0; i < count && !items.isEmpty(); i++) {
      repeated.addAll(items);
    }
    return repeated;
  }
}
