package dev.stator.model.text.template;

import dev.stator.model.text.template.Expression.Relation;
import java.util.Comparator;
import java.util.Iterator;

/** Equality, order and membership, as Python has them. */
final class Comparison {
  private Comparison() {}

  static boolean holds(Budget budget, Relation relation, Object a, Object b) {
    return switch (relation) {
      case EQUAL -> equal(budget, a, b);
      case NOT_EQUAL -> !equal(budget, a, b);
      case IN -> contains(budget, b, a);
      case NOT_IN -> !contains(budget, b, a);
      case LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL -> ordered(budget, relation, a, b);
    };
  }

  static boolean equal(Budget budget, Object a, Object b) {
    budget.step();
    if (Types.isNumber(a) && Types.isNumber(b)) {
      return !Numbers.isNan(a) && !Numbers.isNan(b) && Numbers.compare(a, b) == 0;
    }
    return switch (a) {
      case String x -> {
        budget.scan(x.length());
        yield b instanceof String y && x.equals(y);
      }
      case Undefined x -> b instanceof Undefined;
      case ListValue x -> b instanceof ListValue y && sameItems(budget, x, y);
      case TupleValue x -> b instanceof TupleValue y && sameItems(budget, x, y);
      case RangeValue x -> b instanceof RangeValue y && sameItems(budget, x, y);
      case DictValue x -> b instanceof DictValue y && sameEntries(budget, x, y);
      case DictView x -> b instanceof DictView y && sameView(budget, x, y);
      default -> a == b;
    };
  }

  private static boolean sameItems(Budget budget, Sequence a, Sequence b) {
    if (a.length() != b.length()) {
      return false;
    }
    for (int i = 0; i < a.length(); i++) {
      if (!same(budget, a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** Identical or equal: what containers ask, so that a list with a NaN equals itself. */
  private static boolean same(Budget budget, Object a, Object b) {
    return a == b || equal(budget, a, b);
  }

  private static boolean sameEntries(Budget budget, DictValue a, DictValue b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (final DictValue.Entry entry : a.entries()) {
      final Object other = b.get(budget, entry.key());
      if (other == null || !same(budget, entry.value(), other)) {
        return false;
      }
    }
    return true;
  }

  /** Keys and items are sets; values are not. */
  private static boolean sameView(Budget budget, DictView a, DictView b) {
    if (a == b || a.part() != b.part() || a.dict().size() != b.dict().size()) {
      return a == b;
    }
    return switch (a.part()) {
      case KEYS ->
          a.dict().entries().stream().allMatch(entry -> b.dict().get(budget, entry.key()) != null);
      case VALUES -> false;
      case ITEMS -> sameEntries(budget, a.dict(), b.dict());
    };
  }

  private static boolean ordered(Budget budget, Relation relation, Object a, Object b) {
    if (a instanceof Sequence x && b instanceof Sequence y && a.getClass() == b.getClass()) {
      return orderedItems(budget, relation, x, y);
    }
    if (Numbers.isNan(a) && Types.isNumber(b) || Numbers.isNan(b) && Types.isNumber(a)) {
      return false;
    }
    final int order = order(budget, relation, a, b);
    return switch (relation) {
      case LESS -> order < 0;
      case LESS_OR_EQUAL -> order <= 0;
      case GREATER -> order > 0;
      case GREATER_OR_EQUAL -> order >= 0;
      case EQUAL, NOT_EQUAL, IN, NOT_IN -> throw new AssertionError(relation);
    };
  }

  private static int order(Budget budget, Relation relation, Object a, Object b) {
    budget.step();
    if (Types.isNumber(a) && Types.isNumber(b)) {
      return Numbers.compare(a, b);
    }
    if (a instanceof String x && b instanceof String y) {
      budget.scan(Math.min(x.length(), y.length()));
      return Text.compare(x, y);
    }
    if (a instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (b instanceof Undefined undefined) {
      throw undefined.fault();
    }
    throw new TemplateFault(
        "'"
            + relation.symbol()
            + "' is not defined between '"
            + Types.name(a)
            + "' and '"
            + Types.name(b)
            + "'");
  }

  /** The first items that differ decide; if there are none, the lengths. */
  private static boolean orderedItems(Budget budget, Relation relation, Sequence a, Sequence b) {
    if (a instanceof RangeValue) {
      throw new TemplateFault("'" + relation.symbol() + "' is not defined between ranges");
    }
    for (int i = 0; i < Math.min(a.length(), b.length()); i++) {
      if (!same(budget, a.get(i), b.get(i))) {
        return ordered(budget, relation, a.get(i), b.get(i));
      }
    }
    return ordered(budget, relation, (long) a.length(), (long) b.length());
  }

  /** The order that {@code sorted} uses: only "less than" is asked. */
  static Comparator<Object> ascending(Budget budget) {
    return (a, b) ->
        ordered(budget, Relation.LESS, a, b) ? -1 : ordered(budget, Relation.LESS, b, a) ? 1 : 0;
  }

  private static boolean contains(Budget budget, Object container, Object item) {
    return switch (container) {
      case String text -> containsText(budget, text, item);
      case DictValue dict -> dict.get(budget, item) != null;
      case DictView view when view.part() == DictView.Part.KEYS ->
          view.dict().get(budget, item) != null;
      default -> anyEqual(budget, Iteration.of(budget, container), item);
    };
  }

  private static boolean containsText(Budget budget, String text, Object part) {
    if (!(part instanceof String wanted)) {
      throw new TemplateFault("'in' a string needs a string, got '" + Types.name(part) + "'");
    }
    budget.search(text, wanted);
    return text.contains(wanted);
  }

  private static boolean anyEqual(Budget budget, Iterator<Object> items, Object wanted) {
    while (items.hasNext()) {
      if (same(budget, items.next(), wanted)) {
        return true;
      }
    }
    return false;
  }
}
