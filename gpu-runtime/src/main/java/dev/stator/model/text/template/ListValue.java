package dev.stator.model.text.template;

import java.util.List;

/** A list. Immutable; {@link #depth} counts the containers nested in it, itself included. */
final class ListValue implements Sequence {
  private final List<Object> items;
  private final int depth;

  /** Takes over {@code items}, which nobody may change afterwards. */
  ListValue(Budget budget, List<Object> items) {
    this.items = items;
    this.depth = Types.depthAround(budget, items);
  }

  List<Object> items() {
    return items;
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
