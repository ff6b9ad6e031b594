package dev.stator.worker;

import java.util.ArrayList;
import java.util.List;

/** Cuts what one message must not hold. */
public final class Parts {
  private Parts() {}

  /** The list in order, at most {@code sizeMax} elements a part; none for an empty list. */
  public static <T> List<List<T>> of(List<T> all, int sizeMax) {
    final List<List<T>> parts = new ArrayList<>();
    for (int start = 0; start < all.size(); start += sizeMax) {
      parts.add(List.copyOf(all.subList(start, Math.min(all.size(), start + sizeMax))));
    }
    return parts;
  }
}
