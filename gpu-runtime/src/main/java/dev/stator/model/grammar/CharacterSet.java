package dev.stator.model.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A set of characters: Unicode scalar values, so never a surrogate. Immutable.
 *
 * @param bounds first and last of each range, ascending, neither touching nor overlapping
 */
record CharacterSet(int[] bounds) {
  static final CharacterSet EMPTY = new CharacterSet(new int[0]);
  static final CharacterSet ALL = of(0, Character.MAX_CODE_POINT);
  static final CharacterSet DIGITS = of('0', '9');
  static final CharacterSet WORD =
      DIGITS.or(of('a', 'z')).or(of('A', 'Z')).or(of('_', '_')); // As in ECMA-262 and RE2.
  static final CharacterSet SPACE = of('\t', '\r').or(of(' ', ' '));

  /** All from {@code first} to {@code last}, surrogates left out. */
  static CharacterSet of(int first, int last) {
    final List<int[]> ranges = new ArrayList<>(2);
    if (first < Character.MIN_SURROGATE) {
      ranges.add(new int[] {first, Math.min(last, Character.MIN_SURROGATE - 1)});
    }
    if (last > Character.MAX_SURROGATE) {
      ranges.add(new int[] {Math.max(first, Character.MAX_SURROGATE + 1), last});
    }
    return normalized(ranges);
  }

  static CharacterSet of(int character) {
    return of(character, character);
  }

  /** Those a property holds for. */
  static CharacterSet where(IntPredicate property) {
    final List<int[]> ranges = new ArrayList<>();
    int first = -1;
    for (int c = 0; c <= Character.MAX_CODE_POINT + 1; c++) {
      final boolean isIn = c <= Character.MAX_CODE_POINT && !isSurrogate(c) && property.test(c);
      if (isIn && first < 0) first = c;
      if (!isIn && first >= 0) {
        ranges.add(new int[] {first, c - 1});
        first = -1;
      }
    }
    return normalized(ranges);
  }

  private static boolean isSurrogate(int c) {
    return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
  }

  private static CharacterSet normalized(List<int[]> ranges) {
    final List<int[]> sorted = new ArrayList<>(ranges);
    sorted.sort(Comparator.comparingInt(range -> range[0]));
    final int[] bounds = new int[2 * sorted.size()];
    int count = 0;
    for (int[] range : sorted) {
      if (range[0] > range[1]) continue;
      if (count > 0 && range[0] <= bounds[count - 1] + 1) {
        bounds[count - 1] = Math.max(bounds[count - 1], range[1]);
      } else {
        bounds[count++] = range[0];
        bounds[count++] = range[1];
      }
    }
    return new CharacterSet(Arrays.copyOf(bounds, count));
  }

  CharacterSet or(CharacterSet other) {
    final List<int[]> ranges = ranges();
    ranges.addAll(other.ranges());
    return normalized(ranges);
  }

  CharacterSet not() {
    final List<int[]> ranges = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < bounds.length; i += 2) {
      ranges.add(new int[] {next, bounds[i] - 1});
      next = bounds[i + 1] + 1;
    }
    ranges.add(new int[] {next, Character.MAX_CODE_POINT});
    final List<int[]> scalars = new ArrayList<>();
    for (int[] range : ranges) {
      if (range[0] <= range[1]) scalars.addAll(of(range[0], range[1]).ranges());
    }
    return normalized(scalars);
  }

  CharacterSet and(CharacterSet other) {
    return not().or(other.not()).not();
  }

  CharacterSet without(CharacterSet other) {
    return not().or(other).not();
  }

  boolean isEmpty() {
    return bounds.length == 0;
  }

  boolean contains(int character) {
    for (int i = 0; i < bounds.length; i += 2) {
      if (character >= bounds[i] && character <= bounds[i + 1]) return true;
    }
    return false;
  }

  private List<int[]> ranges() {
    final List<int[]> ranges = new ArrayList<>();
    for (int i = 0; i < bounds.length; i += 2) ranges.add(new int[] {bounds[i], bounds[i + 1]});
    return ranges;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CharacterSet that && Arrays.equals(bounds, that.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }
}
