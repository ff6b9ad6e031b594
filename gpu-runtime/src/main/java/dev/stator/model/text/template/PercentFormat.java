package dev.stator.model.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;

/** {@code "format" % values}. */
final class PercentFormat {
  private static final int DEFAULT_PRECISION = 6;

  private final Budget budget;
  private final String format;
  private final Object values;
  private final TextBuilder out;
  private int position;
  private int used;

  // One conversion.
  private String flags = "";
  private int width;
  private int precision;

  private PercentFormat(Budget budget, String format, Object values) {
    this.budget = budget;
    this.format = format;
    this.values = values;
    this.out = new TextBuilder(budget);
  }

  /** Formats a tuple's values, a dict's by name, or a single other value. */
  static String format(Budget budget, String format, Object values) {
    final PercentFormat run = new PercentFormat(budget, format, values);
    run.run();
    run.requireAllUsed();
    return run.out.toString();
  }

  private void run() {
    while (position < format.length()) {
      final int percent = format.indexOf('%', position);
      out.append(format.substring(position, percent < 0 ? format.length() : percent));
      if (percent < 0) {
        return;
      }
      position = percent + 1;
      convert();
    }
  }

  private void requireAllUsed() {
    final boolean mapping =
        values instanceof DictValue
            || values instanceof ListValue
            || values instanceof RangeValue
            || values instanceof Undefined;
    final int given = values instanceof TupleValue tuple ? tuple.length() : 1;
    if (!mapping && used < given) {
      throw new TemplateFault("a format does not use all of its values");
    }
  }

  private char peek() {
    if (position >= format.length()) {
      throw new TemplateFault("a format ends within a conversion");
    }
    return format.charAt(position);
  }

  private void convert() {
    Object named = null;
    if (peek() == '(') {
      named = named();
    }
    flags = readFlags();
    width = readCount();
    if (width < 0) {
      flags += "-";
      width = -width;
    }
    precision = -1;
    if (peek() == '.') {
      position++;
      precision = Math.max(0, readCount());
    }
    if ("hlL".indexOf(peek()) >= 0) {
      position++;
    }
    final char type = peek();
    position++;
    if (type == '%') {
      out.append("%");
    } else {
      write(type, named == null ? next() : named);
    }
  }

  private Object named() {
    int depth = 1;
    final int start = ++position;
    while (depth > 0) {
      depth += peek() == '(' ? 1 : peek() == ')' ? -1 : 0;
      position++;
    }
    final String name = format.substring(start, position - 1);
    if (values instanceof Undefined undefined) {
      throw undefined.fault();
    }
    final Object value = values instanceof DictValue dict ? dict.get(name) : null;
    if (value == null) {
      throw new TemplateFault("a format has no value named '" + name + "'");
    }
    return value;
  }

  private Object next() {
    final boolean tuple = values instanceof TupleValue;
    if (used >= (tuple ? ((TupleValue) values).length() : 1)) {
      throw new TemplateFault("a format has more conversions than values");
    }
    used++;
    return tuple ? ((TupleValue) values).get(used - 1) : values;
  }

  private String readFlags() {
    final int start = position;
    while ("-+ #0".indexOf(peek()) >= 0) {
      position++;
    }
    return format.substring(start, position);
  }

  private int readCount() {
    if (peek() == '*') {
      position++;
      final Object value = next();
      if (!Types.isInteger(value)) {
        throw new TemplateFault("a format's '*' needs an integer");
      }
      return Math.clamp(Numbers.index(value), -Integer.MAX_VALUE, Integer.MAX_VALUE);
    }
    long count = 0;
    while (peek() >= '0' && peek() <= '9') {
      count = Math.min(Integer.MAX_VALUE, count * 10 + peek() - '0');
      position++;
    }
    return (int) count;
  }

  private void write(char type, Object value) {
    switch (type) {
      case 's' -> text(Repr.str(budget, value));
      case 'r', 'a' -> text(Repr.repr(budget, value));
      case 'c' -> text(character(value));
      case 'd', 'i', 'u' -> number(isNegative(value), integer(truncated(value), type));
      case 'x', 'X', 'o' -> number(isNegative(value), integer(whole(value), type));
      case 'e', 'E', 'f', 'F', 'g', 'G' -> real(Numbers.real(requireNumber(value)), type);
      default -> throw new TemplateFault("a format has no conversion '" + type + "'");
    }
  }

  private static Object requireNumber(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (!Types.isNumber(value)) {
      throw new TemplateFault("a format needs a number, got '" + Types.name(value) + "'");
    }
    return value;
  }

  private static boolean isNegative(Object value) {
    return value instanceof Double real ? real <= -1 : Numbers.big(value).signum() < 0;
  }

  private static BigInteger whole(Object value) {
    if (!Types.isInteger(value)) {
      throw new TemplateFault("a format needs an integer, got '" + Types.name(value) + "'");
    }
    return Numbers.big(value);
  }

  private static BigInteger truncated(Object value) {
    if (requireNumber(value) instanceof Double real) {
      if (real.isNaN() || real.isInfinite()) {
        throw new TemplateFault("a format needs a finite number");
      }
      return new BigDecimal(real).toBigInteger();
    }
    return Numbers.big(value);
  }

  private String integer(BigInteger value, char type) {
    budget.text(Math.max(0, precision));
    return NumberText.integer(value, type, precision, flags.contains("#"));
  }

  private void real(double value, char type) {
    final int digits = precision < 0 ? DEFAULT_PRECISION : precision;
    final boolean negative = Math.copySign(1, value) < 0 && !Double.isNaN(value);
    number(negative, NumberText.real(budget, value, type, digits, flags.contains("#")));
  }

  private static String character(Object value) {
    if (value instanceof String text && Text.length(text) == 1) {
      return text;
    }
    final long code = Types.isInteger(value) ? Numbers.index(value) : -1;
    if (code < 0 || code > Character.MAX_CODE_POINT) {
      throw new TemplateFault("a format's %c needs one character");
    }
    return Character.toString((int) code);
  }

  private void text(String text) {
    final int length = Text.length(text);
    pad("", precision >= 0 && precision < length ? Text.between(text, 0, precision) : text, false);
  }

  private void number(boolean negative, String digits) {
    final String sign = negative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
    pad(sign, digits, flags.contains("0"));
  }

  private void pad(String sign, String body, boolean zeros) {
    final int missing = Math.max(0, width - sign.length() - Text.length(body));
    budget.text(missing);
    if (flags.contains("-")) {
      out.append(sign).append(body).append(" ".repeat(missing));
    } else if (zeros) {
      final int prefix =
          body.length() > 1 && Character.isLetter(body.charAt(1)) && body.charAt(0) == '0' ? 2 : 0;
      out.append(sign)
          .append(body.substring(0, prefix))
          .append("0".repeat(missing))
          .append(body.substring(prefix));
    } else {
      out.append(" ".repeat(missing)).append(sign).append(body);
    }
  }
}
