package dev.stator.model.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;

/** Python's numbers: unbounded integers (bounded here in {@link #BITS_MAX}) and doubles. */
final class Numbers {
  /** Integers beyond are an error: Python itself prints no more than 4,300 digits. */
  private static final int BITS_MAX = 1 << 15;

  private static final MathContext TRUE_DIVISION = new MathContext(60);
  private static final long EXACT_MAX = 1L << 53;

  private Numbers() {}

  /** Long where it fits. */
  static Object normal(BigInteger value) {
    if (value.bitLength() < Long.SIZE) {
      return value.longValue();
    }
    if (value.bitLength() > BITS_MAX) {
      throw new TemplateFault("an integer has more than " + BITS_MAX + " bits");
    }
    return value;
  }

  static BigInteger big(Object integer) {
    return switch (integer) {
      case Boolean bool -> bool ? BigInteger.ONE : BigInteger.ZERO;
      case Long value -> BigInteger.valueOf(value);
      case BigInteger value -> value;
      default -> throw new TemplateFault("expected an integer, got '" + Types.name(integer) + "'");
    };
  }

  /** An index or count: an integer that, if absurd, is cut to the range of long. */
  static long index(Object integer) {
    return switch (integer) {
      case Boolean bool -> bool ? 1 : 0;
      case Long value -> value;
      case BigInteger value -> value.signum() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
      case Undefined undefined -> throw undefined.fault();
      default -> throw new TemplateFault("expected an integer, got '" + Types.name(integer) + "'");
    };
  }

  /** {@link #index} within int. */
  static int count(Object integer) {
    return Math.clamp(index(integer), Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  static double real(Object number) {
    if (number instanceof Double real) {
      return real;
    }
    final double real = number instanceof Long value ? value : big(number).doubleValue();
    if (Double.isInfinite(real)) {
      throw new TemplateFault("an integer is too large for a float");
    }
    return real;
  }

  static int compare(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return Long.compare(x, y);
    }
    if (Types.isInteger(a) && Types.isInteger(b)) {
      return big(a).compareTo(big(b));
    }
    if (a instanceof Double x && b instanceof Double y) {
      return x.doubleValue() == y.doubleValue() ? 0 : x < y ? -1 : 1;
    }
    if (a instanceof Double x) {
      return -compare(b, x);
    }
    final double y = (Double) b;
    return Double.isInfinite(y)
        ? (y > 0 ? -1 : 1)
        : new BigDecimal(big(a)).compareTo(new BigDecimal(y));
  }

  static boolean isNan(Object number) {
    return number instanceof Double real && real.isNaN();
  }

  static Object add(Object a, Object b) {
    return isReal(a, b) ? (Object) (real(a) + real(b)) : normal(big(a).add(big(b)));
  }

  static Object subtract(Object a, Object b) {
    return isReal(a, b) ? (Object) (real(a) - real(b)) : normal(big(a).subtract(big(b)));
  }

  static Object multiply(Object a, Object b) {
    return isReal(a, b) ? (Object) (real(a) * real(b)) : normal(big(a).multiply(big(b)));
  }

  static Object divide(Object a, Object b) {
    requireDivisor(b);
    if (isReal(a, b) || (isExact(a) && isExact(b))) {
      return real(a) / real(b);
    }
    final double quotient =
        new BigDecimal(big(a)).divide(new BigDecimal(big(b)), TRUE_DIVISION).doubleValue();
    if (Double.isInfinite(quotient)) {
      throw new TemplateFault("the quotient of two integers is too large for a float");
    }
    return quotient;
  }

  private static boolean isExact(Object integer) {
    return integer instanceof Boolean
        || (integer instanceof Long value && Math.abs(value) <= EXACT_MAX);
  }

  static Object floorDivide(Object a, Object b) {
    requireDivisor(b);
    if (isReal(a, b)) {
      final double x = real(a);
      final double y = real(b);
      final double quotient = Math.rint((x - floorModulo(x, y)) / y);
      return quotient == 0 ? Math.copySign(0.0, x / y) : quotient;
    }
    final BigInteger[] parts = big(a).divideAndRemainder(big(b));
    final boolean down = parts[1].signum() != 0 && parts[1].signum() != big(b).signum();
    return normal(down ? parts[0].subtract(BigInteger.ONE) : parts[0]);
  }

  static Object modulo(Object a, Object b) {
    requireDivisor(b);
    if (isReal(a, b)) {
      return floorModulo(real(a), real(b));
    }
    final BigInteger rest = big(a).remainder(big(b));
    return normal(rest.signum() != 0 && rest.signum() != big(b).signum() ? rest.add(big(b)) : rest);
  }

  private static double floorModulo(double a, double b) {
    final double rest = a % b;
    if (rest == 0) {
      return Math.copySign(0.0, b);
    }
    return (rest < 0) == (b < 0) ? rest : rest + b;
  }

  private static void requireDivisor(Object b) {
    if (!isNan(b) && real(b) == 0) {
      throw new TemplateFault("division by zero");
    }
  }

  static Object power(Object a, Object b) {
    if (!isReal(a, b) && big(b).signum() >= 0) {
      return integerPower(big(a), big(b));
    }
    final double base = real(a);
    final double exponent = real(b);
    if (base == 0 && exponent < 0) {
      throw new TemplateFault("0 cannot be raised to a negative power");
    }
    if (base < 0 && Math.rint(exponent) != exponent && !Double.isInfinite(base)) {
      throw new TemplateFault("a negative number raised to a fraction is not a real number");
    }
    if (base == 1 || (base == -1 && Double.isInfinite(exponent))) {
      return 1.0;
    }
    final double power = Math.pow(base, exponent);
    if (Double.isInfinite(power) && !Double.isInfinite(base) && !Double.isInfinite(exponent)) {
      throw new TemplateFault("a power is too large for a float");
    }
    return power;
  }

  private static Object integerPower(BigInteger base, BigInteger exponent) {
    if (base.abs().compareTo(BigInteger.ONE) <= 0) {
      return normal(
          base.signum() < 0 && !exponent.testBit(0)
              ? BigInteger.ONE
              : exponent.signum() == 0 ? BigInteger.ONE : base);
    }
    if (exponent.bitLength() > 31
        || (long) (base.bitLength() - 1) * exponent.intValue() > BITS_MAX) {
      throw new TemplateFault("an integer has more than " + BITS_MAX + " bits");
    }
    return normal(base.pow(exponent.intValueExact()));
  }

  static Object negate(Object number) {
    return number instanceof Double real ? (Object) (-real) : normal(big(number).negate());
  }

  private static boolean isReal(Object a, Object b) {
    return a instanceof Double || b instanceof Double;
  }
}
