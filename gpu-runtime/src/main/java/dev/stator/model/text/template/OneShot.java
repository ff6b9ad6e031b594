package dev.stator.model.text.template;

import java.util.Iterator;

/**
 * A generator or iterator: read once, as far as its reader goes, and empty afterwards.
 *
 * @param typeName Python's name for it
 */
record OneShot(String typeName, Iterator<Object> iterator) {
  static OneShot generator(Iterator<Object> iterator) {
    return new OneShot("generator", iterator);
  }
}
