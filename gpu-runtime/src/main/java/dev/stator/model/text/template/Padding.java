package dev.stator.model.text.template;

/** Strings filled up to a width, in code points. */
final class Padding {
  private static final int TAB_SIZE = 8;

  private Padding() {}

  static String center(Budget budget, String text, int width, Object fill) {
    final int missing = missing(budget, text, width);
    final int left = missing / 2 + (missing & width & 1);
    return fill(fill).repeat(left) + text + fill(fill).repeat(missing - left);
  }

  static String left(Budget budget, String text, int width, Object fill) {
    return fill(fill).repeat(missing(budget, text, width)) + text;
  }

  static String right(Budget budget, String text, int width, Object fill) {
    return text + fill(fill).repeat(missing(budget, text, width));
  }

  static String zeros(Budget budget, String text, int width) {
    final boolean signed = text.startsWith("-") || text.startsWith("+");
    final String zeros = "0".repeat(missing(budget, text, width));
    return signed ? text.charAt(0) + zeros + text.substring(1) : zeros + text;
  }

  /** Characters that are missing; pays for the padded string. */
  private static int missing(Budget budget, String text, int width) {
    final int missing = Math.max(0, width - Text.length(text));
    budget.text(2L * missing + text.length());
    return missing;
  }

  private static String fill(Object fill) {
    if (fill == null) {
      return " ";
    }
    final String character = StringMethods.string(fill);
    if (Text.length(character) != 1) {
      throw new TemplateFault("a string is filled with exactly one character");
    }
    return character;
  }

  static Object expandTabs(Budget budget, String text, Object[] a) {
    final int size = a[0] == null ? TAB_SIZE : Math.max(0, Numbers.count(a[0]));
    final TextBuilder out = new TextBuilder(budget);
    int column = 0;
    for (final int code : text.codePoints().toArray()) {
      if (code == '\t') {
        final int blanks = size == 0 ? 0 : size - column % size;
        budget.text(blanks);
        out.append(" ".repeat(blanks));
        column += blanks;
      } else {
        out.append(Character.toString(code));
        column = code == '\n' || code == '\r' ? 0 : column + 1;
      }
    }
    return out.toString();
  }
}
