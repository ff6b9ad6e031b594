package dev.stator.model.text.template;

/** A value with a length and elements by index: list, tuple, range. */
interface Sequence {
  int length();

  /** The element at {@code index} in {@code [0, length())}. */
  Object get(int index);
}
