package dev.stator.model.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers in C's formats, from their exact values, without their sign. */
final class NumberText {
  /** Digits after the point that a format may ask for. */
  private static final int PRECISION_MAX = 4300;

  private NumberText() {}

  /** {@code type} is one of {@code e f g E F G}; the budget pays for {@code precision} digits. */
  static String real(Budget budget, double value, char type, int precision, boolean alternate) {
    if (precision > PRECISION_MAX) {
      throw new TemplateFault("a format asks for more than " + PRECISION_MAX + " digits");
    }
    budget.text(precision + 320L); // The longest double in front of its point.
    final double size = Math.abs(value);
    final String text;
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      text = Double.isNaN(value) ? "nan" : "inf";
    } else {
      text =
          switch (Character.toLowerCase(type)) {
            case 'f' -> fixed(size, precision);
            case 'e' -> scientific(size, precision);
            default -> general(size, Math.max(1, precision), alternate);
          };
    }
    return Character.isUpperCase(type) ? text.toUpperCase(Locale.ROOT) : text;
  }

  private static String fixed(double size, int precision) {
    return new BigDecimal(size).setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
  }

  private static String scientific(double size, int precision) {
    final BigDecimal rounded = rounded(size, precision + 1);
    final String digits = rounded.unscaledValue().toString();
    final String padded = digits + "0".repeat(Math.max(0, precision + 1 - digits.length()));
    final String fraction = precision > 0 ? "." + padded.substring(1, precision + 1) : "";
    return padded.charAt(0) + fraction + FloatText.exponent(exponent(rounded));
  }

  private static String general(double size, int precision, boolean alternate) {
    final int exponent = exponent(rounded(size, precision));
    final boolean plain = exponent >= -4 && exponent < precision;
    final String text =
        plain ? fixed(size, precision - 1 - exponent) : scientific(size, precision - 1);
    if (alternate || text.indexOf('.') < 0) {
      return text;
    }
    final int end = plain ? text.length() : text.indexOf('e');
    return text.substring(0, end).replaceFirst("\\.?0+$", "") + text.substring(end);
  }

  private static BigDecimal rounded(double size, int digits) {
    return size == 0
        ? BigDecimal.ZERO
        : new BigDecimal(size)
            .round(new MathContext(digits, RoundingMode.HALF_EVEN))
            .stripTrailingZeros();
  }

  private static int exponent(BigDecimal rounded) {
    return rounded.signum() == 0 ? 0 : rounded.precision() - 1 - rounded.scale();
  }

  /** {@code type} is one of {@code d i u x X o b}; {@code alternate} puts the base in front. */
  static String integer(BigInteger value, char type, int digitsMin, boolean alternate) {
    final int radix =
        switch (type) {
          case 'x', 'X' -> 16;
          case 'o' -> 8;
          case 'b' -> 2;
          default -> 10;
        };
    final String digits = radix == 10 ? Repr.digits(value.abs()) : value.abs().toString(radix);
    final String padded = "0".repeat(Math.max(0, digitsMin - digits.length())) + digits;
    final String prefix = alternate && radix != 10 ? "0" + Character.toLowerCase(type) : "";
    return type == 'X' ? (prefix + padded).toUpperCase(Locale.ROOT) : prefix + padded;
  }
}
