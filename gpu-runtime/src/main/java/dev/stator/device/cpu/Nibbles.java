package dev.stator.device.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Gathers one nibble of each byte into words of eight. */
final class Nibbles {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(PanelMatrix.ORDER);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(PanelMatrix.ORDER);
  private static final long LOW = 0x0F0F0F0F0F0F0F0FL;

  private Nibbles() {}

  /**
   * Word {@code j} takes the bytes {@code 8j..8j+7} of {@code in}, the first in its lowest bits,
   * and goes to the row's place in the panel's {@code j}-th vector of words.
   *
   * @param shift 0 for the low nibbles, 4 for the high ones
   */
  static void gather(
      MemorySegment in, long from, int shift, MemorySegment to, long toOffset, int words) {
    for (int j = 0; j < words; j++) {
      final int word = (int) Long.compress(in.get(LONG, from + 8L * j), LOW << shift);
      to.set(INT, toOffset + (long) j * PackedMatrix.PANEL_ROWS * Integer.BYTES, word);
    }
  }
}
