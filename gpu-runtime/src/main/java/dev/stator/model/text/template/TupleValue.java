package dev.stator.model.text.template;

import java.util.List;

/** A tuple, with names for its fields where {@code groupby} made it. Immutable. */
final class TupleValue implements Sequence {
  private final List<Object> items;
  private final List<String> names;
  private final int depth;

  /** Takes over {@code items}, which nobody may change afterwards. */
  TupleValue(Budget budget, List<Object> items) {
    this(budget, items, List.of());
  }

  TupleValue(Budget budget, List<Object> items, List<String> names) {
    this.items = items;
    this.names = names;
    this.depth = Types.depthAround(budget, items);
  }

  List<Object> items() {
    return items;
  }

  /** Names of the fields, or none. */
  List<String> names() {
    return names;
  }

  int depth() {
    return depth;
  }

  @Override
  public int length() {
    return items.size();
  }

  @Override
  public Object get(int index) {
    return items.get(index);
  }
}
