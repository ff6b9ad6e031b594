package dev.stator.model.text.template;

import java.util.Iterator;
import java.util.function.Supplier;

/**
 * A generator or iterator: read once, as far as its reader goes, and empty afterwards.
 *
 * @param typeName Python's name for it
 */
record OneShot(String typeName, Iterator<Object> iterator) {
  /** A generator: what it does, it does when it is first read. */
  static OneShot generator(Supplier<Iterator<Object>> start) {
    return new OneShot("generator", new Lazy(start));
  }

  private static final class Lazy implements Iterator<Object> {
    private final Supplier<Iterator<Object>> start;
    private Iterator<Object> items;

    Lazy(Supplier<Iterator<Object>> start) {
      this.start = start;
    }

    private Iterator<Object> items() {
      if (items == null) {
        items = start.get();
      }
      return items;
    }

    @Override
    public boolean hasNext() {
      return items().hasNext();
    }

    @Override
    public Object next() {
      return items().next();
    }
  }
}
