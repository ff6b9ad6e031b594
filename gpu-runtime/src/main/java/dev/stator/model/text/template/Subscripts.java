package dev.stator.model.text.template;

import java.util.Set;

/**
 * {@code value.name} and {@code value[index]}. The dot looks for an attribute first, the brackets
 * for an element first; both then try the other.
 */
final class Subscripts {
  /** Methods that the immutable sandbox hides: they would change their object. */
  private static final Set<String> LIST_CHANGES =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");

  private static final Set<String> DICT_CHANGES =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private Subscripts() {}

  static Object attribute(Budget budget, Object owner, String name) {
    if (owner instanceof Undefined undefined) {
      throw undefined.fault();
    }
    final Object attribute = ownAttribute(budget, owner, name);
    if (attribute != null) {
      return attribute;
    }
    final Object element = owner instanceof DictValue dict ? dict.get(name) : null;
    return element == null ? Undefined.attribute(owner, name) : element;
  }

  static Object item(Budget budget, Object owner, Object index) {
    if (owner instanceof Undefined undefined) {
      throw undefined.fault();
    }
    final Object element = element(budget, owner, index);
    if (element != null) {
      return element;
    }
    final Object attribute =
        index instanceof String name ? ownAttribute(budget, owner, name) : null;
    return attribute == null ? Undefined.attribute(owner, index) : attribute;
  }

  private static Object element(Budget budget, Object owner, Object index) {
    if (owner instanceof DictValue dict) {
      return isHashable(budget, index) ? dict.get(budget, index) : null;
    }
    if (!Types.isInteger(index)) {
      return null;
    }
    if (owner instanceof Sequence sequence) {
      final long at = position(index, sequence.length());
      return at < 0 ? null : sequence.get((int) at);
    }
    return owner instanceof String text ? character(budget, text, index) : null;
  }

  private static boolean isHashable(Budget budget, Object key) {
    budget.step();
    return switch (key) {
      case ListValue list -> false;
      case DictValue dict -> false;
      case TupleValue tuple -> tuple.items().stream().allMatch(item -> isHashable(budget, item));
      default -> true;
    };
  }

  private static long position(Object index, int length) {
    final long at = Numbers.index(index);
    final long position = at < 0 ? at + length : at;
    return position >= length ? -1 : position;
  }

  private static Object character(Budget budget, String text, Object index) {
    budget.scan(text.length());
    final long at = position(index, Text.length(text));
    return at < 0 ? null : Text.between(text, (int) at, (int) at + 1);
  }

  /** The attribute of the object itself, a hidden one as undefined, or null. */
  private static Object ownAttribute(Budget budget, Object owner, String name) {
    return switch (owner) {
      case AttributeHolder holder -> holder.attribute(name);
      case String text -> method(StringMethods.find(name), budget, text);
      case DictValue dict ->
          DICT_CHANGES.contains(name)
              ? hidden(name)
              : method(CollectionMethods.findForDict(name), budget, dict);
      case ListValue list ->
          LIST_CHANGES.contains(name)
              ? hidden(name)
              : method(CollectionMethods.findForSequence(name, true), budget, list);
      case TupleValue tuple -> {
        final int field = tuple.names().indexOf(name);
        yield field >= 0
            ? tuple.get(field)
            : method(CollectionMethods.findForSequence(name, false), budget, tuple);
      }
      case RangeValue range -> rangeAttribute(budget, range, name);
      default -> null;
    };
  }

  private static Object rangeAttribute(Budget budget, RangeValue range, String name) {
    return switch (name) {
      case "start" -> range.start();
      case "stop" -> range.stop();
      case "step" -> range.step();
      default -> method(CollectionMethods.findForSequence(name, false), budget, range);
    };
  }

  private static Undefined hidden(String name) {
    return new Undefined(
        "access to '" + name + "' is not allowed, because it would change its object");
  }

  private static <T> Object method(Method<T> method, Budget budget, T owner) {
    return method == null ? null : (Function) arguments -> method.call(budget, owner, arguments);
  }
}
