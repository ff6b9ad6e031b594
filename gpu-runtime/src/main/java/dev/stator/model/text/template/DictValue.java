package dev.stator.model.text.template;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** A dict, in the order of insertion. Immutable once built. */
final class DictValue {
  /** A key and its value. */
  record Entry(Object key, Object value) {}

  /** By {@link HashKey}, so that equal keys of different types meet. */
  private final Map<String, Entry> entries;

  private final int depth;

  private DictValue(Map<String, Entry> entries, int depth) {
    this.entries = entries;
    this.depth = depth;
  }

  Collection<Entry> entries() {
    return entries.values();
  }

  int size() {
    return entries.size();
  }

  int depth() {
    return depth;
  }

  /** The value of a name, or null. */
  Object get(String name) {
    final Entry entry = entries.get(HashKey.of(name));
    return entry == null ? null : entry.value();
  }

  /** The value of any hashable key, or null. */
  Object get(Budget budget, Object key) {
    final Entry entry = entries.get(HashKey.of(budget, key));
    return entry == null ? null : entry.value();
  }

  /** Builds one dict. */
  static final class Builder {
    /** Places that one entry counts for: table, entry, key. */
    private static final int ELEMENTS = 4;

    private final Budget budget;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private int depth;

    Builder(Budget budget) {
      this.budget = budget;
    }

    /** Puts a value; an equal key that is there already stays as it is. */
    Builder put(Object key, Object value) {
      budget.elements(ELEMENTS);
      depth = Math.max(depth, Math.max(Types.depth(key), Types.depth(value)));
      entries.merge(
          HashKey.of(budget, key),
          new Entry(key, value),
          (old, fresh) -> new Entry(old.key(), fresh.value()));
      return this;
    }

    Builder putAll(DictValue other) {
      other.entries().forEach(entry -> put(entry.key(), entry.value()));
      return this;
    }

    DictValue build() {
      return new DictValue(entries, Types.checkedDepth(budget, depth + 1));
    }
  }
}
