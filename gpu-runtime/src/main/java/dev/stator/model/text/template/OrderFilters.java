package dev.stator.model.text.template;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Filters that compare the items of a sequence with each other. */
final class OrderFilters {
  private OrderFilters() {}

  static void addTo(Map<String, Method<Object>> filters) {
    add(filters, OrderFilters::sort, "sort", "reverse?", "case_sensitive?", "attribute?");
    add(filters, OrderFilters::dictSort, "dictsort", "case_sensitive?", "by?", "reverse?");
    add(filters, (b, v, a) -> extreme(b, v, a, false), "min", "case_sensitive?", "attribute?");
    add(filters, (b, v, a) -> extreme(b, v, a, true), "max", "case_sensitive?", "attribute?");
    add(filters, OrderFilters::unique, "unique", "case_sensitive?", "attribute?");
    add(filters, OrderFilters::groupBy, "groupby", "attribute", "default?", "case_sensitive?");
  }

  private static void add(
      Map<String, Method<Object>> filters,
      Method.Body<Object> body,
      String name,
      String... parameters) {
    filters.put(name, Method.of(Signature.of(name, parameters), body));
  }

  private record Keyed(Object key, Object value) {}

  /** Sorted by key, equal ones in their old order. */
  private static List<Object> sorted(
      Budget budget, List<Object> items, UnaryOperator<Object> key, Object reverse) {
    final List<Keyed> keyed = new ArrayList<>();
    items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
    final Comparator<Keyed> order = Comparator.comparing(Keyed::key, Comparison.ascending(budget));
    try {
      keyed.sort(reverse != null && Numbers.index(reverse) != 0 ? order.reversed() : order);
    } catch (IllegalArgumentException e) { // NaN among many has no place.
      throw new TemplateFault("the values to sort have no order");
    }
    final List<Object> sorted = new ArrayList<>();
    keyed.forEach(item -> sorted.add(item.value()));
    return sorted;
  }

  private static Object sort(Budget budget, Object value, Object[] a) {
    final UnaryOperator<Object> key = AttributePath.keys(budget, a[2], a[1]);
    return new ListValue(budget, sorted(budget, Iteration.toList(budget, value), key, a[0]));
  }

  private static Object dictSort(Budget budget, Object value, Object[] a) {
    final Object by = a[1] == null ? "key" : a[1];
    if (!by.equals("key") && !by.equals("value")) {
      throw new TemplateFault("dictsort sorts by key or by value");
    }
    if (!(value instanceof DictValue dict)) {
      throw new TemplateFault("dictsort needs a dict, got '" + Types.name(value) + "'");
    }
    final boolean exact = a[0] != null && Types.isTrue(a[0]);
    final int part = by.equals("key") ? 0 : 1;
    final UnaryOperator<Object> key =
        item -> AttributePath.folded(budget, ((TupleValue) item).get(part), exact);
    final List<Object> items = Iteration.toList(budget, new DictView(dict, DictView.Part.ITEMS));
    return new ListValue(budget, sorted(budget, items, key, a[2]));
  }

  private static Object extreme(Budget budget, Object value, Object[] a, boolean largest) {
    final Iterator<Object> items = Iteration.of(budget, value);
    if (!items.hasNext()) {
      return new Undefined("there is no smallest or largest item, the sequence is empty");
    }
    final UnaryOperator<Object> key = AttributePath.key(budget, a[1], null, a[0]);
    final Expression.Relation better =
        largest ? Expression.Relation.GREATER : Expression.Relation.LESS;
    Object best = items.next();
    Object bestKey = key.apply(best);
    while (items.hasNext()) {
      final Object item = items.next();
      final Object itemKey = key.apply(item);
      if (Comparison.holds(budget, better, itemKey, bestKey)) {
        best = item;
        bestKey = itemKey;
      }
    }
    return best;
  }

  private static Object unique(Budget budget, Object value, Object[] a) {
    final UnaryOperator<Object> key = AttributePath.key(budget, a[1], null, a[0]);
    final Set<String> seen = new HashSet<>();
    return SelectionFilters.selected(
        () -> Iteration.of(budget, value), item -> seen.add(HashKey.of(budget, key.apply(item))));
  }

  private static Object groupBy(Budget budget, Object value, Object[] a) {
    final Object fallback = TextFilters.isGiven(a[1]) ? a[1] : null;
    final UnaryOperator<Object> key = AttributePath.key(budget, a[0], fallback, a[2]);
    final UnaryOperator<Object> shown = AttributePath.reader(budget, a[0], fallback);
    final List<Object> groups = new ArrayList<>();
    List<Object> group = new ArrayList<>();
    for (final Object item : sorted(budget, Iteration.toList(budget, value), key, null)) {
      if (!group.isEmpty()
          && !Comparison.equal(budget, key.apply(group.getFirst()), key.apply(item))) {
        groups.add(group(budget, shown, group));
        group = new ArrayList<>();
      }
      group.add(item);
    }
    if (!group.isEmpty()) {
      groups.add(group(budget, shown, group));
    }
    return new ListValue(budget, groups);
  }

  private static TupleValue group(Budget budget, UnaryOperator<Object> shown, List<Object> group) {
    final Object name = shown.apply(group.getFirst());
    return new TupleValue(
        budget, List.of(name, new ListValue(budget, group)), List.of("grouper", "list"));
  }
}
