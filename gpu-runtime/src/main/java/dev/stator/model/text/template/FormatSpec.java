package dev.stator.model.text.template;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The part of a brace format after the colon: {@code
 * [[fill]align][sign][#][0][width][,][.precision][type]}.
 */
final class FormatSpec {
  private static final Pattern SPEC =
      Pattern.compile(
          "(?s)(?:(.)?([<>=^]))?([-+"
              + " ])?(#)?(0)?([0-9]{1,9})?([,_])?(?:\\.([0-9]{1,9}))?([bcdeEfFgGosxX%])?");
  private static final int GROUP = 3;

  private final Budget budget;
  private final Matcher spec;

  private FormatSpec(Budget budget, Matcher spec) {
    this.budget = budget;
    this.spec = spec;
  }

  static String format(Budget budget, Object value, String spec) {
    if (spec.isEmpty()) {
      return Repr.str(budget, value);
    }
    final Matcher parts = SPEC.matcher(spec);
    if (!parts.matches()) {
      throw new TemplateFault("'" + spec + "' is not a format");
    }
    final FormatSpec format = new FormatSpec(budget, parts);
    return switch (value) {
      case String text -> format.text(text);
      case Object number when Types.isNumber(number) -> format.number(number);
      default -> throw new TemplateFault("a '" + Types.name(value) + "' cannot be formatted");
    };
  }

  private char type(char otherwise) {
    return spec.group(9) == null ? otherwise : spec.group(9).charAt(0);
  }

  private int precision(int otherwise) {
    return spec.group(8) == null ? otherwise : Integer.parseInt(spec.group(8));
  }

  private String text(String text) {
    if (type('s') != 's'
        || spec.group(3) != null
        || "=".equals(spec.group(2))
        || spec.group(7) != null) {
      throw new TemplateFault("a string cannot be formatted as a number");
    }
    final int length = Text.length(text);
    final int kept = Math.min(length, precision(length));
    return pad("", Text.between(text, 0, kept), '<');
  }

  private String number(Object number) {
    final boolean alternate = spec.group(4) != null;
    final char type = type(number instanceof Double ? 'r' : 'd');
    final String digits;
    boolean negative = !(number instanceof Double) && Numbers.big(number).signum() < 0;
    if ("dbxXo".indexOf(type) >= 0) {
      if (number instanceof Double || spec.group(8) != null) {
        throw new TemplateFault("a float cannot be formatted as an integer");
      }
      digits = grouped(NumberText.integer(Numbers.big(number), type, 0, alternate));
    } else if (type == 's' || type == 'c') {
      throw new TemplateFault("a number cannot be formatted as a string");
    } else {
      final double value = Numbers.real(number) * (type == '%' ? 100 : 1);
      negative = Math.copySign(1, value) < 0 && !Double.isNaN(value);
      digits = grouped(real(value, type, alternate));
    }
    final String sign =
        negative ? "-" : spec.group(3) == null || spec.group(3).equals("-") ? "" : spec.group(3);
    return pad(sign, digits, '>');
  }

  private String real(double value, char type, boolean alternate) {
    if (type == 'r' && spec.group(8) == null) {
      return FloatText.repr(Math.abs(value));
    }
    if (type == 'r') { // No type but a precision: general, with a point that always shows.
      final String text = NumberText.real(budget, value, 'g', precision(6), alternate);
      return text.matches("[0-9]+") ? text + ".0" : text;
    }
    return type == '%'
        ? NumberText.real(budget, value, 'f', precision(6), alternate) + "%"
        : NumberText.real(budget, value, type, precision(6), alternate);
  }

  private String grouped(String digits) {
    if (spec.group(7) == null) {
      return digits;
    }
    int end = 0;
    while (end < digits.length() && Character.isDigit(digits.charAt(end))) {
      end++;
    }
    final StringBuilder out = new StringBuilder(digits);
    for (int at = end - GROUP; at > 0; at -= GROUP) {
      out.insert(at, spec.group(7));
    }
    return out.toString();
  }

  private String pad(String sign, String body, char naturalAlign) {
    final int width = spec.group(6) == null ? 0 : Integer.parseInt(spec.group(6));
    final int missing = Math.max(0, width - sign.length() - Text.length(body));
    budget.text(missing * 2L + body.length());
    final boolean zero = spec.group(5) != null;
    final String fill = spec.group(1) != null ? spec.group(1) : zero ? "0" : " ";
    final char align =
        spec.group(2) != null
            ? spec.group(2).charAt(0)
            : zero && naturalAlign == '>' ? '=' : naturalAlign;
    return switch (align) {
      case '<' -> sign + body + fill.repeat(missing);
      case '^' -> fill.repeat(missing / 2) + sign + body + fill.repeat(missing - missing / 2);
      case '=' -> sign + fill.repeat(missing) + body;
      default -> fill.repeat(missing) + sign + body;
    };
  }
}
