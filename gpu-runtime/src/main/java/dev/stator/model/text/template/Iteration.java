package dev.stator.model.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.IntFunction;

/** Walking over values. */
final class Iteration {
  private Iteration() {}

  static boolean isIterable(Object value) {
    return switch (value) {
      case String text -> true;
      case Undefined undefined -> true;
      case Sequence sequence -> true;
      case DictValue dict -> true;
      case DictView view -> true;
      case OneShot iterator -> true;
      case LoopValue loop -> true;
      default -> false;
    };
  }

  /** The value's elements, a step paid for each. */
  static Iterator<Object> of(Budget budget, Object value) {
    return switch (value) {
      case OneShot iterator -> iterator.iterator();
      case String text -> characters(budget, text);
      case Undefined undefined -> Collections.emptyIterator();
      case Sequence sequence -> counted(budget, sequence.length(), sequence::get);
      case DictValue dict -> of(budget, new DictView(dict, DictView.Part.KEYS));
      case DictView view -> paid(budget, view.iterator(budget));
      case LoopValue loop -> loop.rest();
      default -> throw new TemplateFault("'" + Types.name(value) + "' object is not iterable");
    };
  }

  /** All elements as a fresh list, which the caller may change. */
  static List<Object> toList(Budget budget, Object value) {
    final List<Object> items = new ArrayList<>();
    for (final Iterator<Object> rest = of(budget, value); rest.hasNext(); ) {
      budget.elements(1);
      items.add(rest.next());
    }
    return items;
  }

  /** As Python's {@code reversed}; null where a value cannot be walked backwards. */
  static Iterator<Object> backwards(Budget budget, Object value) {
    return switch (value) {
      case Sequence sequence ->
          counted(budget, sequence.length(), i -> sequence.get(sequence.length() - 1 - i));
      case String text -> reversed(toList(budget, text));
      case DictValue dict -> reversed(toList(budget, dict));
      case DictView view -> reversed(toList(budget, view));
      case Undefined undefined -> Collections.emptyIterator();
      default -> null;
    };
  }

  private static Iterator<Object> reversed(List<Object> items) {
    Collections.reverse(items);
    return items.iterator();
  }

  private static Iterator<Object> characters(Budget budget, String text) {
    final Iterator<Integer> codes = text.codePoints().iterator();
    return paid(
        budget,
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return codes.hasNext();
          }

          @Override
          public Object next() {
            return Character.toString(codes.next());
          }
        });
  }

  private static Iterator<Object> counted(Budget budget, int length, IntFunction<Object> get) {
    return new Iterator<>() {
      private int next;

      @Override
      public boolean hasNext() {
        return next < length;
      }

      @Override
      public Object next() {
        if (next >= length) {
          throw new NoSuchElementException();
        }
        budget.step();
        return get.apply(next++);
      }
    };
  }

  private static Iterator<Object> paid(Budget budget, Iterator<Object> items) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return items.hasNext();
      }

      @Override
      public Object next() {
        budget.step();
        return items.next();
      }
    };
  }
}
