package dev.stator.model.text.template;

import java.math.BigDecimal;

/**
 * A dict key as a string, equal where Python's keys are equal: {@code 1}, {@code 1.0} and {@code
 * True} are one. Strings stand for themselves; everything else begins with NUL. Strings because
 * Java's hash maps stay fast when many of them collide.
 */
final class HashKey {
  private HashKey() {}

  static String of(String name) {
    return !name.isEmpty() && name.charAt(0) == '\0' ? "\0s" + name : name;
  }

  static String of(Budget budget, Object key) {
    return switch (key) {
      case String name -> of(name);
      case NoneValue none -> "\0none";
      case Undefined undefined -> "\0undefined";
      case Double real -> real(real);
      case Object number when Types.isInteger(number) -> "\0i" + Numbers.big(number);
      case TupleValue tuple -> tuple(budget, tuple);
      case RangeValue range -> range(range);
      default ->
          throw new TemplateFault("a value of type '" + Types.name(key) + "' cannot be a dict key");
    };
  }

  private static String real(double real) {
    return Math.rint(real) == real && !Double.isInfinite(real)
        ? "\0i" + new BigDecimal(real).toBigInteger()
        : "\0f" + real;
  }

  private static String range(RangeValue range) {
    final String step = range.length() > 1 ? ":" + range.step() : "";
    return "\0r" + range.length() + (range.length() > 0 ? ":" + range.start() + step : "");
  }

  private static String tuple(Budget budget, TupleValue tuple) {
    final StringBuilder joined = new StringBuilder("\0t");
    for (final Object item : tuple.items()) {
      final String key = of(budget, item);
      budget.text(key.length());
      joined.append(key.length()).append(':').append(key);
    }
    return joined.toString();
  }
}
