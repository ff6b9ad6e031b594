package dev.stator.model.text;

import java.util.Arrays;

/** A priority queue of longs, least first. One thread at a time. */
final class LongQueue {
  private long[] heap = new long[32];
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  void add(long value) {
    if (size == heap.length) heap = Arrays.copyOf(heap, size * 2);
    int at = size++;
    while (at > 0) {
      final int parent = (at - 1) >>> 1;
      if (heap[parent] <= value) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = value;
  }

  long poll() {
    final long least = heap[0];
    final long moved = heap[--size];
    int at = 0;
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= moved) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
    return least;
  }
}
