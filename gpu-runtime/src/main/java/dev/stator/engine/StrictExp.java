package dev.stator.engine;

/**
 * The exponential function from additions and multiplications alone: the same bits on every machine
 * and in every compilation, and fast enough for a whole vocabulary ({@link Math#exp} may differ
 * between machines, {@link StrictMath#exp} is several times slower).
 */
final class StrictExp {
  private static final double SMALLEST = -700; // Far below it, exp leaves the normal numbers.
  private static final double LOG2_E = 0x1.71547652b82fep0;
  private static final double LN2_HIGH = 0x1.62e42feep-1; // 33 bits: k * LN2_HIGH is exact.
  private static final double LN2_LOW = 0x1.a39ef35793c76p-33;
  private static final double ROUND = 0x1.8p52; // Adding it drops the fraction, to nearest.

  private StrictExp() {}

  /**
   * {@code exp(x)} for {@code x <= 0}, relative error below 1e-14; 0 below -700.
   *
   * <p>{@code exp(x) = 2^k exp(r)}, {@code |r| <= ln(2) / 2}, with the Taylor polynomial of degree
   * 12 for {@code exp(r)}.
   */
  static double exp(double x) {
    if (!(x >= SMALLEST)) return 0;
    final double shifted = x * LOG2_E + ROUND;
    final double k = shifted - ROUND;
    final double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    double p = 1.0 / 479001600;
    p = p * r + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1;
    p = p * r + 1;
    return p * Double.longBitsToDouble((long) k + 1023 << 52);
  }
}
