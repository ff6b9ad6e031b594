package dev.stator.model.grammar;

import java.util.Arrays;

/** A growing array of integers. */
final class IntList {
  private int[] values = new int[16];
  private int count;

  void add(int value) {
    if (count == values.length) values = Arrays.copyOf(values, 2 * count);
    values[count++] = value;
  }

  int get(int index) {
    return values[index];
  }

  int count() {
    return count;
  }

  int removeLast() {
    return values[--count];
  }

  boolean isEmpty() {
    return count == 0;
  }

  int[] toArray() {
    return Arrays.copyOf(values, count);
  }
}
