package dev.stator.model.text.template;

import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** The filters that work item by item, when their result is read: map, select and their kin. */
final class SelectionFilters {
  private SelectionFilters() {}

  static void addTo(Map<String, Method<Object>> filters) {
    filters.put("map", SelectionFilters::map);
    filters.put("select", (budget, value, a) -> select(budget, value, a, false, true));
    filters.put("reject", (budget, value, a) -> select(budget, value, a, false, false));
    filters.put("selectattr", (budget, value, a) -> select(budget, value, a, true, true));
    filters.put("rejectattr", (budget, value, a) -> select(budget, value, a, true, false));
  }

  private static Object map(Budget budget, Object value, Arguments arguments) {
    if (!Types.isTrue(value)) {
      return OneShot.generator(Collections::emptyIterator);
    }
    final Supplier<Iterator<Object>> mapped =
        () -> {
          final UnaryOperator<Object> change = change(budget, arguments);
          final Iterator<Object> items = Iteration.of(budget, value);
          return new Iterator<>() {
            @Override
            public boolean hasNext() {
              return items.hasNext();
            }

            @Override
            public Object next() {
              return change.apply(items.next());
            }
          };
        };
    return OneShot.generator(mapped);
  }

  private static UnaryOperator<Object> change(Budget budget, Arguments arguments) {
    final Object attribute = arguments.named().get("attribute");
    if (!arguments.positional().isEmpty()) {
      final String name = StringMethods.string(arguments.positional().getFirst());
      final Arguments rest = arguments.rest();
      return item -> Filters.apply(budget, name, item, rest);
    }
    if (attribute == null) {
      throw new TemplateFault("map needs a filter or an attribute");
    }
    final Object fallback = arguments.named().get("default");
    if (arguments.named().size() > (fallback == null ? 1 : 2)) {
      throw new TemplateFault("map takes no arguments by name but attribute and default");
    }
    return AttributePath.reader(budget, attribute, TextFilters.isGiven(fallback) ? fallback : null);
  }

  private static Object select(
      Budget budget, Object value, Arguments arguments, boolean byAttribute, boolean wanted) {
    if (!Types.isTrue(value)) {
      return OneShot.generator(Collections::emptyIterator);
    }
    return OneShot.generator(() -> {
      final Predicate<Object> test = test(budget, arguments, byAttribute);
      return filtered(Iteration.of(budget, value), item -> test.test(item) == wanted);
    });
  }

  private static Predicate<Object> test(Budget budget, Arguments arguments, boolean byAttribute) {
    Arguments rest = arguments;
    UnaryOperator<Object> reader = UnaryOperator.identity();
    if (byAttribute) {
      if (rest.positional().isEmpty()) {
        throw new TemplateFault("a filter by attribute needs its name");
      }
      reader = AttributePath.reader(budget, rest.positional().getFirst(), null);
      rest = rest.rest();
    }
    final UnaryOperator<Object> subject = reader;
    if (rest.positional().isEmpty()) {
      return item -> Types.isTrue(subject.apply(item));
    }
    final String name = StringMethods.string(rest.positional().getFirst());
    final Arguments testArguments = rest.rest();
    return item -> Tests.holds(budget, name, subject.apply(item), testArguments);
  }

  /** A generator of the items that pass. */
  static OneShot selected(Supplier<Iterator<Object>> items, Predicate<Object> test) {
    return OneShot.generator(() -> filtered(items.get(), test));
  }

  /** The items that pass, each looked at when it is asked for. */
  static Iterator<Object> filtered(Iterator<Object> items, Predicate<Object> test) {
    return new Iterator<>() {
      private Object next;

      @Override
      public boolean hasNext() {
        while (next == null && items.hasNext()) {
          final Object item = items.next();
          next = test.test(item) ? item : null;
        }
        return next != null;
      }

      @Override
      public Object next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        final Object item = next;
        next = null;
        return item;
      }
    };
  }
}
