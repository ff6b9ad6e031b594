package dev.stator.engine;

/**
 * Philox4x32-10, a counter-based random number generator: a pure function of key and counter, so a
 * draw depends on nothing that happened before. From J. K. Salmon, M. A. Moraes, R. O. Dror, D. E.
 * Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11.
 */
final class Philox {
  private static final int ROUND_COUNT = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9; // Golden ratio.
  private static final int WEYL_1 = 0xBB67AE85; // sqrt(3) - 1.
  private static final double TWO_POW_MINUS_53 = 0x1p-53;

  private Philox() {}

  /** A number in [0, 1), a multiple of 2<sup>-53</sup>: the one of this seed for this position. */
  static double uniform(long seed, long position) {
    final long bits = first64((int) position, (int) (position >>> 32), 0, 0, seed);
    return (bits >>> 11) * TWO_POW_MINUS_53;
  }

  /** The first two words of the output, the first one low. */
  static long first64(int counter0, int counter1, int counter2, int counter3, long key) {
    int c0 = counter0;
    int c1 = counter1;
    int c2 = counter2;
    int c3 = counter3;
    int key0 = (int) key;
    int key1 = (int) (key >>> 32);
    for (int round = 0; round < ROUND_COUNT; round++) {
      final long product0 = MULTIPLIER_0 * (c0 & 0xFFFFFFFFL);
      final long product1 = MULTIPLIER_1 * (c2 & 0xFFFFFFFFL);
      c0 = (int) (product1 >>> 32) ^ c1 ^ key0;
      c1 = (int) product1;
      c2 = (int) (product0 >>> 32) ^ c3 ^ key1;
      c3 = (int) product0;
      key0 += WEYL_0;
      key1 += WEYL_1;
    }
    return (long) c1 << 32 | c0 & 0xFFFFFFFFL;
  }
}
