package dev.stator.model.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters that read or cut sequences. */
final class SequenceFilters {
  private SequenceFilters() {}

  static void addTo(Map<String, Method<Object>> filters) {
    add(filters, (b, v, a) -> new ListValue(b, Iteration.toList(b, v)), "list");
    add(filters, (b, v, a) -> first(b, v), "first");
    add(filters, (b, v, a) -> last(b, v), "last");
    add(filters, (b, v, a) -> reverse(b, v), "reverse");
    add(filters, SequenceFilters::join, "join", "d?", "attribute?");
    add(filters, SequenceFilters::sum, "sum", "attribute?", "start?");
    add(filters, SequenceFilters::batch, "batch", "linecount", "fill_with?");
    add(filters, SequenceFilters::slice, "slice", "slices", "fill_with?");
  }

  private static void add(
      Map<String, Method<Object>> filters,
      Method.Body<Object> body,
      String name,
      String... parameters) {
    filters.put(name, Method.of(Signature.of(name, parameters), body));
  }

  private static Object first(Budget budget, Object value) {
    final Iterator<Object> items = Iteration.of(budget, value);
    return items.hasNext()
        ? items.next()
        : new Undefined("there is no first item, the sequence is empty");
  }

  private static Object last(Budget budget, Object value) {
    final Iterator<Object> items = Iteration.backwards(budget, value);
    if (items == null) {
      throw new TemplateFault("'" + Types.name(value) + "' object has no last item");
    }
    return items.hasNext()
        ? items.next()
        : new Undefined("there is no last item, the sequence is empty");
  }

  private static Object reverse(Budget budget, Object value) {
    if (value instanceof String text) {
      return budget.paid(new StringBuilder(text).reverse().toString());
    }
    final Iterator<Object> items = Iteration.backwards(budget, value);
    return items == null
        ? new ListValue(budget, Iteration.toList(budget, value).reversed())
        : new OneShot("reversed", items);
  }

  private static Object join(Budget budget, Object value, Object[] a) {
    final String separator = a[0] == null ? "" : Repr.str(budget, a[0]);
    final UnaryOperator<Object> reader = AttributePath.reader(budget, a[1], null);
    final TextBuilder out = new TextBuilder(budget);
    boolean first = true;
    for (final Iterator<Object> items = Iteration.of(budget, value);
        items.hasNext();
        first = false) {
      out.append(first ? "" : separator).append(Repr.str(budget, reader.apply(items.next())));
    }
    return out.toString();
  }

  private static Object sum(Budget budget, Object value, Object[] a) {
    final UnaryOperator<Object> reader = AttributePath.reader(budget, a[0], null);
    Object sum = a[1] == null ? 0L : a[1];
    if (sum instanceof String) {
      throw new TemplateFault("strings cannot be summed");
    }
    for (final Iterator<Object> items = Iteration.of(budget, value); items.hasNext(); ) {
      sum = Arithmetic.apply(budget, Expression.Operator.ADD, sum, reader.apply(items.next()));
    }
    return sum;
  }

  private static Object batch(Budget budget, Object value, Object[] a) {
    return OneShot.generator(() -> batches(budget, value, a[0], a[1]).iterator());
  }

  private static List<Object> batches(Budget budget, Object value, Object size, Object fill) {
    final List<Object> batches = new ArrayList<>();
    List<Object> batch = new ArrayList<>();
    for (final Object item : Iteration.toList(budget, value)) {
      if (Comparison.equal(budget, (long) batch.size(), size)) {
        batches.add(new ListValue(budget, batch));
        batch = new ArrayList<>();
      }
      batch.add(item);
    }
    if (!batch.isEmpty()) {
      if (TextFilters.isGiven(fill)) {
        final long missing = Math.max(0, Numbers.index(size) - batch.size());
        budget.elements(missing);
        batch.addAll(Collections.nCopies((int) missing, fill));
      }
      batches.add(new ListValue(budget, batch));
    }
    return batches;
  }

  private static Object slice(Budget budget, Object value, Object[] a) {
    return OneShot.generator(() -> slices(budget, value, Numbers.count(a[0]), a[1]).iterator());
  }

  private static List<Object> slices(Budget budget, Object value, int count, Object fill) {
    final List<Object> items = Iteration.toList(budget, value);
    if (count == 0) {
      throw new TemplateFault("slice needs more than 0 slices");
    }
    budget.elements(Math.max(0, count));
    final List<Object> slices = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < count; i++) {
      final boolean longer = i < items.size() % count;
      final int end = start + items.size() / count + (longer ? 1 : 0);
      final List<Object> slice = new ArrayList<>(items.subList(start, end));
      if (!longer && TextFilters.isGiven(fill)) {
        slice.add(fill);
      }
      slices.add(new ListValue(budget, slice));
      start = end;
    }
    return slices;
  }
}
