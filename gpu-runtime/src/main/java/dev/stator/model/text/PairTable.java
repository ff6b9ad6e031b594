package dev.stator.model.text;

import java.util.Arrays;

/**
 * A hash map from a pair of non-negative ints to one, without boxes: open addressing, linear
 * probing. Filled by one thread, then read by any number.
 */
final class PairTable {
  private static final long MIX = 0x9E3779B97F4A7C15L;
  private static final int ABSENT = -1;

  private long[] keys;
  private int[] values;
  private int size;
  private int shift;

  PairTable(int expectedSize) {
    allocate(Math.max(4, 33 - Integer.numberOfLeadingZeros(expectedSize)));
  }

  /** The value of the pair, or -1. */
  int get(int left, int right) {
    return values[slot(key(left, right))];
  }

  /** Whether the pair was new; an older value stays. */
  boolean putIfAbsent(int left, int right, int value) {
    if (get(left, right) != ABSENT) return false;
    put(left, right, value);
    return true;
  }

  /** An older value goes. */
  void put(int left, int right, int value) {
    final long key = key(left, right);
    final int slot = slot(key);
    final boolean isNew = values[slot] == ABSENT;
    keys[slot] = key;
    values[slot] = value;
    if (isNew && ++size * 2 > keys.length) grow();
  }

  private void grow() {
    final long[] oldKeys = keys;
    final int[] oldValues = values;
    allocate(65 - shift);
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldValues[i] == ABSENT) continue;
      final int slot = slot(oldKeys[i]);
      keys[slot] = oldKeys[i];
      values[slot] = oldValues[i];
    }
  }

  private void allocate(int bits) {
    keys = new long[1 << bits];
    values = new int[1 << bits];
    Arrays.fill(values, ABSENT);
    shift = 64 - bits;
  }

  /** Where the key is, or the free slot where it would be. */
  private int slot(long key) {
    int slot = (int) ((key * MIX) >>> shift);
    while (values[slot] != ABSENT && keys[slot] != key) slot = (slot + 1) & (keys.length - 1);
    return slot;
  }

  private static long key(int left, int right) {
    return ((long) left << 32) | right;
  }
}
