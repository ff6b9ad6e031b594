package dev.stator.model.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** {@code value[start:stop:step]}. */
final class Slices {
  private Slices() {}

  /** The slice; {@code start}, {@code stop} and {@code step} may be None. */
  static Object of(Budget budget, Object value, Object start, Object stop, Object step) {
    return switch (value) {
      case Undefined undefined -> throw undefined.fault();
      case String text -> text(budget, text, start, stop, step);
      case ListValue list ->
          new ListValue(budget, items(list, bounds(list.length(), start, stop, step)));
      case TupleValue tuple ->
          new TupleValue(budget, items(tuple, bounds(tuple.length(), start, stop, step)));
      case RangeValue range -> range(range, bounds(range.length(), start, stop, step));
      default -> throw new TemplateFault("'" + Types.name(value) + "' object cannot be sliced");
    };
  }

  /**
   * The indexes of a slice: {@code count} of them, from {@code start} by {@code step} before {@code
   * stop}.
   */
  private record Bounds(long start, long stop, long step, int count) {
    IntUnaryOperator index() {
      return i -> (int) (start + i * step);
    }
  }

  private static Bounds bounds(int length, Object start, Object stop, Object step) {
    final long by = isNone(step) ? 1 : Numbers.index(step);
    if (by == 0) {
      throw new TemplateFault("a slice's step cannot be 0");
    }
    final long lowest = by > 0 ? 0 : -1;
    final long highest = by > 0 ? length : length - 1L;
    final long from =
        isNone(start) ? (by > 0 ? lowest : highest) : clamp(start, length, lowest, highest);
    final long to =
        isNone(stop) ? (by > 0 ? highest : lowest) : clamp(stop, length, lowest, highest);
    final long distance = by > 0 ? to - from : from - to;
    final long stride = by == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(by);
    return new Bounds(from, to, by, distance <= 0 ? 0 : (int) ((distance - 1) / stride + 1));
  }

  private static boolean isNone(Object value) {
    return value == NoneValue.NONE;
  }

  private static long clamp(Object index, int length, long lowest, long highest) {
    final long at = Numbers.index(index);
    return Math.clamp(at < 0 ? at + length : at, lowest, highest);
  }

  private static List<Object> items(Sequence sequence, Bounds bounds) {
    final List<Object> items = new ArrayList<>(bounds.count());
    for (int i = 0; i < bounds.count(); i++) {
      items.add(sequence.get(bounds.index().applyAsInt(i)));
    }
    return items;
  }

  private static RangeValue range(RangeValue range, Bounds bounds) {
    final long start = range.start() + bounds.start() * range.step();
    final long stop = range.start() + bounds.stop() * range.step();
    return new RangeValue(start, stop, range.step() * bounds.step(), bounds.count());
  }

  private static String text(Budget budget, String text, Object start, Object stop, Object step) {
    budget.scan(text.length());
    final Bounds bounds = bounds(Text.length(text), start, stop, step);
    budget.text(bounds.count());
    if (bounds.step() == 1) {
      return bounds.count() == 0
          ? ""
          : Text.between(text, (int) bounds.start(), (int) bounds.start() + bounds.count());
    }
    final int[] codes = text.codePoints().toArray();
    final StringBuilder out = new StringBuilder();
    for (int i = 0; i < bounds.count(); i++) {
      out.appendCodePoint(codes[bounds.index().applyAsInt(i)]);
    }
    return out.toString();
  }
}
