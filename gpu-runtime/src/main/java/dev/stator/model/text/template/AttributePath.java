package dev.stator.model.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** The {@code attribute} argument of filters: a name, an index, or several joined by dots. */
final class AttributePath {
  private AttributePath() {}

  /**
   * Reads the attribute of one value.
   *
   * @param attribute null or None for the value itself
   * @param fallback what an undefined part becomes, or null
   */
  static UnaryOperator<Object> reader(Budget budget, Object attribute, Object fallback) {
    final List<Object> parts = parts(attribute);
    return value -> {
      Object current = value;
      for (final Object part : parts) {
        budget.step();
        current = Subscripts.item(budget, current, part);
        current = current instanceof Undefined && fallback != null ? fallback : current;
      }
      return current;
    };
  }

  /** As {@link #reader}, strings in lower case unless {@code caseSensitive}. */
  static UnaryOperator<Object> key(
      Budget budget, Object attribute, Object fallback, Object caseSensitive) {
    final UnaryOperator<Object> reader = reader(budget, attribute, fallback);
    final boolean exact = caseSensitive != null && Types.isTrue(caseSensitive);
    return value -> folded(budget, reader.apply(value), exact);
  }

  /** Reads several attributes, separated by commas, as one list to sort by. */
  static UnaryOperator<Object> keys(Budget budget, Object attribute, Object caseSensitive) {
    final List<UnaryOperator<Object>> readers = new ArrayList<>();
    if (attribute instanceof String names) {
      for (final String name : names.split(",", -1)) {
        readers.add(key(budget, name, null, caseSensitive));
      }
    } else {
      readers.add(key(budget, attribute, null, caseSensitive));
    }
    return value -> {
      final List<Object> key = new ArrayList<>();
      readers.forEach(reader -> key.add(reader.apply(value)));
      return new ListValue(budget, key);
    };
  }

  static Object folded(Budget budget, Object value, boolean caseSensitive) {
    return !caseSensitive && value instanceof String text
        ? budget.paid(text.toLowerCase(Locale.ROOT))
        : value;
  }

  private static List<Object> parts(Object attribute) {
    if (attribute == null || attribute == NoneValue.NONE) {
      return List.of();
    }
    if (!(attribute instanceof String path)) {
      return List.of(attribute);
    }
    final List<Object> parts = new ArrayList<>();
    for (final String part : path.split("\\.", -1)) {
      parts.add(part.matches("[0-9]{1,18}") ? (Object) Long.valueOf(part) : part);
    }
    return parts;
  }
}
