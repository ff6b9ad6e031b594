package dev.stator.model.text.template;

import java.math.BigInteger;
import java.util.List;

/** What kind of value something is. */
final class Types {
  private Types() {}

  /** Python's name for the value's type. */
  static String name(Object value) {
    return switch (value) {
      case NoneValue none -> "NoneType";
      case Boolean bool -> "bool";
      case Long integer -> "int";
      case BigInteger integer -> "int";
      case Double real -> "float";
      case String text -> "str";
      case Undefined undefined -> "Undefined";
      case ListValue list -> "list";
      case TupleValue tuple -> "tuple";
      case DictValue dict -> "dict";
      case RangeValue range -> "range";
      case DictView view -> view.part().typeName();
      case OneShot iterator -> iterator.typeName();
      case AttributeHolder holder -> holder.typeName();
      default -> "function";
    };
  }

  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof BigInteger || value instanceof Boolean;
  }

  static boolean isNumber(Object value) {
    return isInteger(value) || value instanceof Double;
  }

  static boolean isCallable(Object value) {
    return value instanceof Function || value instanceof Undefined;
  }

  static boolean isTrue(Object value) {
    return switch (value) {
      case NoneValue none -> false;
      case Boolean bool -> bool;
      case Long integer -> integer != 0;
      case Double real -> real != 0;
      case String text -> !text.isEmpty();
      case Undefined undefined -> false;
      case Sequence sequence -> sequence.length() > 0;
      case DictValue dict -> dict.size() > 0;
      case DictView view -> view.dict().size() > 0;
      case LoopValue loop -> loop.length() > 0;
      default -> true;
    };
  }

  /** Python's {@code len} of what knows it without counting, or -1. */
  static int lengthOrNone(Object value) {
    return switch (value) {
      case Undefined undefined -> 0;
      case Sequence sequence -> sequence.length();
      case DictValue dict -> dict.size();
      case DictView view -> view.dict().size();
      case LoopValue loop -> loop.length();
      default -> -1;
    };
  }

  static int length(Budget budget, Object value) {
    if (value instanceof String text) {
      budget.scan(text.length());
      return Text.length(text);
    }
    final int length = lengthOrNone(value);
    if (length < 0) {
      throw new TemplateFault("an object of type '" + name(value) + "' has no length");
    }
    return length;
  }

  /** Containers nested in a value, itself included; 0 for what contains nothing. */
  static int depth(Object value) {
    return switch (value) {
      case ListValue list -> list.depth();
      case TupleValue tuple -> tuple.depth();
      case DictValue dict -> dict.depth();
      default -> 0;
    };
  }

  /** The depth of a container around {@code items}; also pays for them. */
  static int depthAround(Budget budget, List<Object> items) {
    budget.elements(items.size() + 1L);
    int depth = 0;
    for (final Object item : items) {
      depth = Math.max(depth, depth(item));
    }
    return checkedDepth(budget, depth + 1);
  }

  /** Bounds the recursion of everything that walks values. */
  static int checkedDepth(Budget budget, int depth) {
    if (depth > budget.limits().depth()) {
      throw new TemplateFault("a value nests deeper than " + budget.limits().depth() + " levels");
    }
    return depth;
  }
}
