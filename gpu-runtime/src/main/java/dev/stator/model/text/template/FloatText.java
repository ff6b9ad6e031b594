package dev.stator.model.text.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Doubles as Python's {@code repr} prints them: the shortest digits that read back the same. */
final class FloatText {
  /** Decimal exponents that are written out; others get {@code e+XX}. */
  private static final int FIXED_MIN = -4;

  private static final int FIXED_MAX = 15;

  private FloatText() {}

  static String repr(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    final String sign = Math.copySign(1, value) < 0 ? "-" : "";
    return value == 0 ? sign + "0.0" : sign + positive(Math.abs(value));
  }

  private static String positive(double value) {
    final BigDecimal shortest = shortest(value);
    final String digits = shortest.unscaledValue().toString();
    final int exponent = digits.length() - 1 - shortest.scale();
    if (exponent < FIXED_MIN || exponent > FIXED_MAX) {
      final String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
      return digits.charAt(0) + fraction + exponent(exponent);
    }
    final String plain = shortest.toPlainString();
    return plain.indexOf('.') < 0 ? plain + ".0" : plain;
  }

  /** {@code e+XX}, two digits at least. */
  static String exponent(int exponent) {
    final String digits = String.valueOf(Math.abs(exponent));
    return (exponent < 0 ? "e-" : "e+") + (digits.length() < 2 ? "0" : "") + digits;
  }

  /** Java prefers two digits to one where both read back the same; Python does not. */
  private static BigDecimal shortest(double value) {
    final BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    if (decimal.precision() == 2) {
      final BigDecimal one =
          decimal.round(new MathContext(1, RoundingMode.HALF_EVEN)).stripTrailingZeros();
      if (one.doubleValue() == value) {
        return one;
      }
    }
    return decimal;
  }
}
