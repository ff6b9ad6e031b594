package dev.stator.engine;

import java.util.Arrays;

/**
 * Picks the largest of many logits, in one order: larger first, among equals the smaller token. Few
 * are picked with a heap in one pass, many by sorting; both give the same.
 */
final class TopTokens {
  static final int HEAP_MAX = 1024;

  private final int[] heap = new int[HEAP_MAX]; // The worst of the picked is its root.

  /**
   * The {@code count} largest, in order.
   *
   * @param logits without NaN
   */
  int[] pick(float[] logits, int count) {
    if (count > logits.length) throw new IllegalArgumentException("more than there are: " + count);
    return count <= HEAP_MAX ? pickByHeap(logits, count) : pickBySort(logits, count);
  }

  int[] pickByHeap(float[] logits, int count) {
    if (count == 0) return new int[0];
    for (int i = 0; i < count; i++) siftUp(logits, i, i);
    float worst = logits[heap[0]];
    for (int token = count; token < logits.length; token++) {
      if (!(logits[token] > worst)) continue; // An equal one has a larger id.
      siftDown(logits, count, token);
      worst = logits[heap[0]];
    }
    final int[] picked = new int[count];
    for (int left = count; left > 0; left--) {
      picked[left - 1] = heap[0];
      if (left > 1) siftDown(logits, left - 1, heap[left - 1]);
    }
    return picked;
  }

  static int[] pickBySort(float[] logits, int count) {
    final long[] keys = new long[logits.length];
    for (int token = 0; token < keys.length; token++) {
      keys[token] = (long) ~sortable(logits[token]) << 32 | token;
    }
    Arrays.sort(keys);
    final int[] picked = new int[count];
    for (int i = 0; i < count; i++) picked[i] = (int) keys[i];
    return picked;
  }

  /** An integer that compares as the number does; the two zeros are equal. */
  private static int sortable(float value) {
    final int bits = Float.floatToRawIntBits(value + 0.0f); // -0 + 0 is +0.
    return bits ^ (bits >> 31 & 0x7FFFFFFF);
  }

  private static boolean isWorse(float[] logits, int token, int than) {
    return logits[token] < logits[than] || logits[token] == logits[than] && token > than;
  }

  private void siftUp(float[] logits, int from, int token) {
    int place = from;
    while (place > 0 && isWorse(logits, token, heap[(place - 1) / 2])) {
      heap[place] = heap[(place - 1) / 2];
      place = (place - 1) / 2;
    }
    heap[place] = token;
  }

  private void siftDown(float[] logits, int size, int token) {
    int place = 0;
    for (int child = 2 * place + 1; child < size; child = 2 * place + 1) {
      if (child + 1 < size && isWorse(logits, heap[child + 1], heap[child])) child++;
      if (!isWorse(logits, heap[child], token)) break;
      heap[place] = heap[child];
      place = child;
    }
    heap[place] = token;
  }
}
