package dev.stator.model.text.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The variable {@code loop}. Looks ahead only when it is asked to. */
final class LoopValue implements AttributeHolder, Function {
  private final Budget budget;
  private final int depth0;

  /** Renders the loop over other items, or null where the loop is not recursive. */
  private final Function recurse;

  private Iterator<Object> items;

  /** The number of items, or -1 while it is not known. */
  private int length;

  private int index0 = -1;
  private Object previous;
  private Object current;

  /** The item already taken from {@link #items}, or null. */
  private Object next;

  private List<Object> lastChanged;

  /**
   * @param length the number of items, or -1 where only reading them tells
   */
  LoopValue(Budget budget, Iterator<Object> items, int length, int depth0, Function recurse) {
    this.budget = budget;
    this.items = items;
    this.length = length;
    this.depth0 = depth0;
    this.recurse = recurse;
  }

  /** Moves to the next item; false at the end. */
  boolean advance() {
    if (peek() == null) {
      return false;
    }
    previous = current;
    current = next;
    next = null;
    index0++;
    return true;
  }

  Object current() {
    return current;
  }

  int index() {
    return index0 + 1;
  }

  private Object peek() {
    if (next == null && items.hasNext()) {
      next = items.next();
    }
    return next;
  }

  int length() {
    if (length < 0) {
      final List<Object> rest = new ArrayList<>();
      while (items.hasNext()) {
        budget.elements(1);
        rest.add(items.next());
      }
      items = rest.iterator();
      length = index() + rest.size() + (next == null ? 0 : 1);
    }
    return length;
  }

  /** The items still to come, for a template that walks over the loop itself. */
  Iterator<Object> rest() {
    throw new TemplateFault("the loop itself cannot be iterated");
  }

  @Override
  public Object attribute(String name) {
    return switch (name) {
      case "index" -> (long) index();
      case "index0" -> (long) index0;
      case "revindex" -> (long) length() - index0;
      case "revindex0" -> (long) length() - index();
      case "first" -> index0 == 0;
      case "last" -> peek() == null;
      case "length" -> (long) length();
      case "depth" -> (long) depth0 + 1;
      case "depth0" -> (long) depth0;
      case "previtem" -> index0 == 0 ? new Undefined("there is no previous item") : previous;
      case "nextitem" -> peek() == null ? new Undefined("there is no next item") : next;
      case "cycle" -> (Function) this::cycle;
      case "changed" -> (Function) this::changed;
      default -> null;
    };
  }

  private Object cycle(Arguments arguments) {
    if (arguments.positional().isEmpty()) {
      throw new TemplateFault("loop.cycle() needs at least one value");
    }
    return arguments.positional().get(index0 % arguments.positional().size());
  }

  private Object changed(Arguments arguments) {
    final List<Object> values = arguments.positional();
    final boolean same = lastChanged != null && sameAsLast(values);
    lastChanged = values;
    return !same;
  }

  private boolean sameAsLast(List<Object> values) {
    return Comparison.equal(
        budget, new TupleValue(budget, values), new TupleValue(budget, lastChanged));
  }

  @Override
  public Object call(Arguments arguments) {
    if (recurse == null) {
      throw new TemplateFault("a loop that is called needs the mark 'recursive'");
    }
    return recurse.call(arguments);
  }

  @Override
  public String typeName() {
    return "LoopContext";
  }
}
