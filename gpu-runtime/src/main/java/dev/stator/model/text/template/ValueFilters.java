package dev.stator.model.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Collections;
import java.util.Map;
import java.util.regex.Pattern;

/** Filters on single values: numbers, defaults, attributes. */
final class ValueFilters {
  private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*");
  private static final Pattern REAL =
      Pattern.compile(
          "[+-]?(?:\\d+(?:_\\d+)*\\.?(?:\\d+(?:_\\d+)*)?|\\.\\d+(?:_\\d+)*)(?:[eE][+-]?\\d+(?:_\\d+)*)?");
  private static final Pattern SPECIAL_REAL =
      Pattern.compile("([+-]?)(inf|infinity|nan)", Pattern.CASE_INSENSITIVE);

  /** Digits of an integer in text, as Python's own limit; no number is longer here. */
  private static final int DIGITS_MAX = 4300;

  /** Beyond these decimal places rounding a double changes nothing, or leaves nothing. */
  private static final int PLACES_MAX = 323;

  private static final int PLACES_MIN = -308;

  private ValueFilters() {}

  static void addTo(Map<String, Method<Object>> filters) {
    add(filters, ValueFilters::orDefault, "default", "default_value?", "boolean?");
    add(filters, ValueFilters::orDefault, "d", "default_value?", "boolean?");
    add(filters, (b, v, a) -> toInteger(b, v, a), "int", "default?", "base?");
    add(filters, (b, v, a) -> toReal(v, a[0] == null ? 0.0 : a[0]), "float", "default?");
    add(filters, (b, v, a) -> absolute(v), "abs");
    add(filters, (b, v, a) -> round(v, a), "round", "precision?", "method?");
    add(filters, (b, v, a) -> (long) Types.length(b, v), "length");
    add(filters, (b, v, a) -> (long) Types.length(b, v), "count");
    add(filters, ValueFilters::attribute, "attr", "name");
    add(filters, (b, v, a) -> items(b, v), "items");
  }

  private static void add(
      Map<String, Method<Object>> filters,
      Method.Body<Object> body,
      String name,
      String... parameters) {
    filters.put(name, Method.of(Signature.of(name, parameters), body));
  }

  private static Object orDefault(Budget budget, Object value, Object[] a) {
    final boolean alsoFalse = a[1] != null && Types.isTrue(a[1]);
    final boolean missing = value instanceof Undefined || (alsoFalse && !Types.isTrue(value));
    return missing ? (a[0] == null ? "" : a[0]) : value;
  }

  private static Object attribute(Budget budget, Object value, Object[] a) {
    final String name = StringMethods.string(a[0]);
    final boolean elementOnly =
        value instanceof DictValue dict
            && dict.get(name) != null
            && CollectionMethods.findForDict(name) == null;
    return elementOnly
        ? Undefined.attribute(value, name)
        : Subscripts.attribute(budget, value, name);
  }

  private static Object items(Budget budget, Object value) {
    return OneShot.generator(() ->
        switch (value) {
          case Undefined undefined -> Collections.emptyIterator();
          case DictValue dict -> Iteration.of(budget, new DictView(dict, DictView.Part.ITEMS));
          default -> throw new TemplateFault("items needs a dict, got '" + Types.name(value) + "'");
        });
  }

  private static Object absolute(Object value) {
    return switch (value) {
      case Double real -> Math.abs(real);
      case Object integer when Types.isInteger(integer) ->
          Numbers.normal(Numbers.big(integer).abs());
      default -> throw new TemplateFault("abs needs a number, got '" + Types.name(value) + "'");
    };
  }

  private static Object toInteger(Budget budget, Object value, Object[] a) {
    final Object otherwise = a[0] == null ? 0L : a[0];
    if (value instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (value instanceof Double real && real.isInfinite()) {
      throw new TemplateFault("an infinite number is no integer");
    }
    final BigInteger exact =
        value instanceof String text ? parse(text, a[1] == null ? 10L : a[1]) : null;
    if (exact != null) {
      return Numbers.normal(exact);
    }
    if (Types.isInteger(value)) {
      return Numbers.normal(Numbers.big(value));
    }
    return toReal(value, otherwise) instanceof Double real
            && isReadable(value)
            && Double.isFinite(real)
        ? Numbers.normal(new BigDecimal(real).toBigInteger())
        : otherwise;
  }

  private static boolean isReadable(Object value) {
    return value instanceof Double || (value instanceof String text && parseReal(text) != null);
  }

  /** As {@code int(text, base)}, or null where that fails. */
  private static BigInteger parse(String text, Object baseGiven) {
    final int base = Types.isInteger(baseGiven) ? Numbers.count(baseGiven) : -1;
    final String digits =
        text.substring(Math.min(text.length(), leading(text)), Text.endWithoutSpace(text));
    if (base < 0 || base == 1 || base > Character.MAX_RADIX || digits.length() > DIGITS_MAX) {
      return null;
    }
    String plain = digits.replace("_", "");
    final int signs = plain.startsWith("-") || plain.startsWith("+") ? 1 : 0;
    final int prefixed = prefixBase(plain.substring(signs));
    int radix = base;
    if (prefixed != 0 && (base == 0 || base == prefixed)) {
      radix = prefixed;
      plain = plain.substring(0, signs) + plain.substring(signs + 2);
    } else if (base == 0) {
      radix = 10;
      if (plain.substring(signs).matches("0+[1-9].*")) {
        return null;
      }
    } else if (!INTEGER.matcher(digits).matches()) {
      return null;
    }
    try {
      return new BigInteger(plain, radix);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static int leading(String text) {
    int start = 0;
    while (start < text.length() && Text.isSpace(text.charAt(start))) {
      start++;
    }
    return Math.min(start, Text.endWithoutSpace(text));
  }

  private static int prefixBase(String digits) {
    if (digits.length() < 2 || digits.charAt(0) != '0') {
      return 0;
    }
    return switch (Character.toLowerCase(digits.charAt(1))) {
      case 'x' -> 16;
      case 'o' -> 8;
      case 'b' -> 2;
      default -> 0;
    };
  }

  private static Object toReal(Object value, Object otherwise) {
    return switch (value) {
      case Undefined undefined -> throw undefined.fault();
      case String text -> {
        final Double real = parseReal(text);
        yield real == null ? otherwise : real;
      }
      case Object number when Types.isNumber(number) -> Numbers.real(number);
      default -> otherwise;
    };
  }

  /** As {@code float(text)}, or null where that fails. */
  private static Double parseReal(String text) {
    final String trimmed = text.substring(leading(text), Text.endWithoutSpace(text));
    if (trimmed.length() > DIGITS_MAX) {
      return null;
    }
    final var special = SPECIAL_REAL.matcher(trimmed);
    if (special.matches()) {
      final double size =
          Character.toLowerCase(special.group(2).charAt(0)) == 'n'
              ? Double.NaN
              : Double.POSITIVE_INFINITY;
      return special.group(1).equals("-") ? -size : size;
    }
    return REAL.matcher(trimmed).matches() ? Double.valueOf(trimmed.replace("_", "")) : null;
  }

  private static Object round(Object value, Object[] a) {
    final Object places = a[0] == null ? 0L : a[0];
    final Object method = a[1] == null ? "common" : a[1];
    if (value instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (method.equals("common")) {
      return value instanceof Double real
          ? roundReal(real, places)
          : roundInteger(Numbers.big(value), places);
    }
    if (!method.equals("ceil") && !method.equals("floor")) {
      throw new TemplateFault("round takes the methods common, ceil and floor");
    }
    final Object scale = Numbers.power(10L, places);
    final Object scaled = Numbers.multiply(value, scale);
    return Numbers.divide(toWhole(scaled, method.equals("ceil")), scale);
  }

  private static Object toWhole(Object number, boolean up) {
    if (!(number instanceof Double real)) {
      return number;
    }
    if (!Double.isFinite(real)) {
      throw new TemplateFault("an infinite number cannot be rounded to an integer");
    }
    return Numbers.normal(new BigDecimal(up ? Math.ceil(real) : Math.floor(real)).toBigInteger());
  }

  /** To an integer where the places are None. */
  private static Object roundReal(double value, Object places) {
    if (places == NoneValue.NONE) {
      return toWhole(Math.rint(value), false);
    }
    final int count = Numbers.count(places);
    if (!Double.isFinite(value) || count > PLACES_MAX) {
      return value;
    }
    if (count < PLACES_MIN) {
      return Math.copySign(0.0, value);
    }
    final double rounded =
        new BigDecimal(value).setScale(count, RoundingMode.HALF_EVEN).doubleValue();
    return Math.copySign(rounded, value);
  }

  private static Object roundInteger(BigInteger value, Object placesGiven) {
    final int places = placesGiven == NoneValue.NONE ? 0 : Numbers.count(placesGiven);
    if (places >= 0) {
      return Numbers.normal(value);
    }
    return places < -DIGITS_MAX
        ? 0L
        : Numbers.normal(
            new BigDecimal(value).setScale(places, RoundingMode.HALF_EVEN).toBigInteger());
  }
}
