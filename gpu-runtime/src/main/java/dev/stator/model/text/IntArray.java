package dev.stator.model.text;

import java.util.Arrays;

/** A growing row of ints. One thread at a time. */
final class IntArray {
  private int[] values;
  private int size;

  IntArray(int capacity) {
    values = new int[Math.max(capacity, 8)];
  }

  int size() {
    return size;
  }

  int get(int index) {
    return values[index];
  }

  void set(int index, int value) {
    values[index] = value;
  }

  void add(int value) {
    reserve(1);
    values[size++] = value;
  }

  void addAll(int[] added) {
    reserve(added.length);
    System.arraycopy(added, 0, values, size, added.length);
    size += added.length;
  }

  int[] toArray() {
    return copyFrom(0);
  }

  int[] copyFrom(int start) {
    return Arrays.copyOfRange(values, start, size);
  }

  private void reserve(int count) {
    if (size + count > values.length)
      values = Arrays.copyOf(values, Math.max(values.length * 2, size + count));
  }
}
