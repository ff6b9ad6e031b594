package dev.stator.model.grammar;

import static dev.stator.model.grammar.Expression.anyNumberOf;
import static dev.stator.model.grammar.Expression.characters;
import static dev.stator.model.grammar.Expression.optional;
import static dev.stator.model.grammar.Expression.sequence;
import static dev.stator.model.grammar.Expression.text;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/**
 * Numbers between two bounds, written out without an exponent.
 *
 * @param low {@code null} for none
 * @param lowIncluded whether {@code low} itself is in the range
 * @param high {@code null} for none
 * @param highIncluded whether {@code high} itself is in the range
 */
record NumberRange(BigDecimal low, boolean lowIncluded, BigDecimal high, boolean highIncluded) {
  /** Digits of a bound before or behind its point. */
  static final int DIGITS_MAX = 40;

  private static final Expression DIGIT = characters(CharacterSet.DIGITS);
  private static final Expression DIGITS = anyNumberOf(DIGIT);
  private static final Expression NONE = characters(CharacterSet.EMPTY);

  /** Whether the bounds have few enough digits. */
  boolean isWritable() {
    return isWritable(low) && isWritable(high);
  }

  private static boolean isWritable(BigDecimal bound) {
    if (bound == null || bound.signum() == 0) return true;
    final BigDecimal stripped = bound.stripTrailingZeros();
    return stripped.scale() <= DIGITS_MAX
        && (long) stripped.precision() - stripped.scale() <= DIGITS_MAX;
  }

  /** The whole numbers of the range. */
  Expression integers() {
    final BigInteger least = low == null ? null : firstInteger();
    final BigInteger most = high == null ? null : lastInteger();
    final List<Expression> options = new ArrayList<>();
    if (least == null || least.signum() < 0) {
      final BigInteger from = most != null && most.signum() < 0 ? most.negate() : BigInteger.ONE;
      final BigInteger to = least == null ? null : least.negate();
      options.add(sequence(text("-"), wholeNumbers(from, to)));
    }
    if (most == null || most.signum() >= 0) {
      final BigInteger from = least != null && least.signum() > 0 ? least : BigInteger.ZERO;
      options.add(wholeNumbers(from, most));
    }
    return new Expression.OneOf(options);
  }

  private BigInteger firstInteger() {
    final BigInteger ceiling = low.setScale(0, RoundingMode.CEILING).toBigInteger();
    final boolean isExcluded = !lowIncluded && low.compareTo(new BigDecimal(ceiling)) == 0;
    return isExcluded ? ceiling.add(BigInteger.ONE) : ceiling;
  }

  private BigInteger lastInteger() {
    final BigInteger floor = high.setScale(0, RoundingMode.FLOOR).toBigInteger();
    final boolean isExcluded = !highIncluded && high.compareTo(new BigDecimal(floor)) == 0;
    return isExcluded ? floor.subtract(BigInteger.ONE) : floor;
  }

  /** All numbers of the range. */
  Expression numbers() {
    final List<Expression> options = new ArrayList<>();
    if (low == null || low.signum() < 0) {
      final boolean isBounded = high != null && high.signum() <= 0;
      final Magnitudes below =
          new Magnitudes(
              isBounded ? high.negate() : BigDecimal.ZERO,
              isBounded && highIncluded,
              low == null ? null : low.negate(),
              lowIncluded);
      options.add(sequence(text("-"), below.expression()));
    }
    if (high == null || high.signum() >= 0) {
      final boolean isBounded = low != null && low.signum() >= 0;
      final Magnitudes above =
          new Magnitudes(
              isBounded ? low : BigDecimal.ZERO, !isBounded || lowIncluded, high, highIncluded);
      options.add(above.expression());
    }
    return new Expression.OneOf(options);
  }

  /**
   * Whole numbers from {@code from}, not negative, to {@code to}.
   *
   * @param to {@code null} for no bound
   */
  private static Expression wholeNumbers(BigInteger from, BigInteger to) {
    if (to != null && from.compareTo(to) > 0) return NONE;
    final List<Expression> options = new ArrayList<>();
    final int longest = to == null ? from.toString().length() : to.toString().length();
    String low = from.toString();
    for (int length = low.length(); length <= longest; length++) {
      final boolean isLongest = to != null && length == longest;
      options.add(sameLength(low, isLongest ? to.toString() : "9".repeat(length)));
      low = "1" + "0".repeat(length);
    }
    if (to == null) {
      options.add(
          sequence(
              characters(CharacterSet.of('1', '9')),
              new Expression.Repeated(DIGIT, longest, Expression.UNBOUNDED)));
    }
    return new Expression.OneOf(options);
  }

  /** Digits from {@code low} to {@code high}, which are of one length. */
  private static Expression sameLength(String low, String high) {
    if (low.isEmpty()) return Expression.NOTHING;
    final int rest = low.length() - 1;
    final Expression anyRest = new Expression.Repeated(DIGIT, rest, rest);
    if (low.equals("0".repeat(rest + 1)) && high.equals("9".repeat(rest + 1))) {
      return new Expression.Repeated(DIGIT, rest + 1, rest + 1);
    }
    final char first = low.charAt(0);
    final char last = high.charAt(0);
    if (first == last) {
      return sequence(text(String.valueOf(first)), sameLength(low.substring(1), high.substring(1)));
    }
    final List<Expression> options = new ArrayList<>();
    options.add(
        sequence(text(String.valueOf(first)), sameLength(low.substring(1), "9".repeat(rest))));
    if (first + 1 < last) {
      options.add(sequence(characters(CharacterSet.of(first + 1, last - 1)), anyRest));
    }
    options.add(
        sequence(text(String.valueOf(last)), sameLength("0".repeat(rest), high.substring(1))));
    return new Expression.OneOf(options);
  }

  /** Numbers without a sign. */
  private record Magnitudes(
      BigDecimal low, boolean lowIncluded, BigDecimal high, boolean highIncluded) {
    Expression expression() {
      final BigInteger lowWhole = low.toBigInteger();
      final BigInteger highWhole = high == null ? null : high.toBigInteger();
      final String lowDigits = fraction(low);
      if (highWhole != null && highWhole.compareTo(lowWhole) < 0) return NONE;
      if (lowWhole.equals(highWhole)) return with(lowWhole, lowDigits, fraction(high));
      final List<Expression> options = new ArrayList<>();
      options.add(with(lowWhole, lowDigits, null));
      final BigInteger above = lowWhole.add(BigInteger.ONE);
      final BigInteger below = highWhole == null ? null : highWhole.subtract(BigInteger.ONE);
      options.add(
          sequence(wholeNumbers(above, below), optional(sequence(text("."), DIGIT, DIGITS))));
      if (highWhole != null) options.add(with(highWhole, null, fraction(high)));
      return new Expression.OneOf(options);
    }

    private static String fraction(BigDecimal number) {
      final BigDecimal rest = number.remainder(BigDecimal.ONE).stripTrailingZeros();
      return rest.signum() == 0 ? "" : rest.toPlainString().substring("0.".length());
    }

    /** Numbers of one whole part, and fractions between two. */
    private Expression with(BigInteger whole, String lowDigits, String highDigits) {
      final List<Expression> options = new ArrayList<>();
      if (allowsNothing(lowDigits, highDigits)) options.add(Expression.NOTHING);
      options.add(sequence(text("."), digits(lowDigits, highDigits)));
      return sequence(text(whole.toString()), new Expression.OneOf(options));
    }

    private boolean allowsNothing(String lowDigits, String highDigits) {
      final boolean isEnough = lowDigits == null || lowDigits.isEmpty() && lowIncluded;
      return isEnough && (highDigits == null || !highDigits.isEmpty() || highIncluded);
    }

    /**
     * One or more digits behind a point that are between those of two others.
     *
     * @param atLeast {@code null} once the digits before have made it more
     * @param atMost {@code null} once they have made it less
     */
    private Expression digits(String atLeast, String atMost) {
      final String least = atLeast != null && atLeast.isEmpty() && lowIncluded ? null : atLeast;
      if (least == null && atMost == null) return sequence(DIGIT, DIGITS);
      if (atMost != null && atMost.isEmpty()) {
        final boolean isPossible = highIncluded && least == null;
        return isPossible ? Expression.atLeastOne(text("0")) : NONE;
      }
      if (least != null && least.isEmpty() && atMost == null) {
        return sequence(anyNumberOf(text("0")), characters(CharacterSet.of('1', '9')), DIGITS);
      }
      final List<Expression> options = new ArrayList<>();
      for (char digit = '0'; digit <= '9'; digit++) {
        final char lowest = least == null ? '0' : least.isEmpty() ? '0' : least.charAt(0);
        final char highest = atMost == null ? '9' : atMost.charAt(0);
        if (digit < lowest || digit > highest) continue;
        final String nextLeast = least == null || digit > lowest ? null : rest(least);
        final String nextMost = atMost == null || digit < highest ? null : rest(atMost);
        final Expression further =
            allowsNothing(nextLeast, nextMost)
                ? optional(digits(nextLeast, nextMost))
                : digits(nextLeast, nextMost);
        options.add(sequence(text(String.valueOf(digit)), further));
      }
      return new Expression.OneOf(options);
    }

    private static String rest(String digits) {
      return digits.isEmpty() ? digits : digits.substring(1);
    }
  }
}
