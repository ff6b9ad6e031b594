package dev.stator.model.text.template;

import java.math.BigInteger;
import java.util.Iterator;
import java.util.List;

/** Values as text: Python's {@code str} and {@code repr}. */
final class Repr {
  /** Python refuses to print longer integers. */
  private static final int INTEGER_DIGITS = 4300;

  private Repr() {}

  /** As {@code str(value)}: what a print statement shows. */
  static String str(Budget budget, Object value) {
    return switch (value) {
      case String text -> text;
      case Undefined undefined -> "";
      default -> repr(budget, value);
    };
  }

  static String repr(Budget budget, Object value) {
    final TextBuilder out = new TextBuilder(budget);
    write(out, value);
    return out.toString();
  }

  private static void write(TextBuilder out, Object value) {
    switch (value) {
      case String text -> out.append(quoted(text));
      case NoneValue none -> out.append("None");
      case Boolean bool -> out.append(bool ? "True" : "False");
      case Long integer -> out.append(integer.toString());
      case BigInteger integer -> out.append(digits(integer));
      case Double real -> out.append(FloatText.repr(real));
      case Undefined undefined -> out.append("Undefined");
      case ListValue list -> writeItems(out.append("["), list.items()).append("]");
      case TupleValue tuple ->
          writeItems(out.append("("), tuple.items()).append(tuple.length() == 1 ? ",)" : ")");
      case DictValue dict -> writeDict(out, dict);
      case RangeValue range -> writeRange(out, range);
      case DictView view -> writeView(out, view);
      case Namespace namespace -> writeNamespace(out, namespace);
      case LoopValue loop -> out.append("<LoopContext " + loop.index() + "/" + loop.length() + ">");
      case Macro macro ->
          out.append(
              "<Macro " + (macro.name().isEmpty() ? "anonymous" : quoted(macro.name())) + ">");
      default -> out.append("<" + Types.name(value) + ">");
    }
  }

  /** An integer's digits. */
  static String digits(BigInteger integer) {
    final String digits = integer.toString();
    if (digits.length() > INTEGER_DIGITS) {
      throw new TemplateFault("an integer has more than " + INTEGER_DIGITS + " digits");
    }
    return digits;
  }

  private static TextBuilder writeItems(TextBuilder out, List<Object> items) {
    String separator = "";
    for (final Object item : items) {
      write(out.append(separator), item);
      separator = ", ";
    }
    return out;
  }

  private static void writeDict(TextBuilder out, DictValue dict) {
    String separator = "{";
    for (final DictValue.Entry entry : dict.entries()) {
      write(out.append(separator), entry.key());
      write(out.append(": "), entry.value());
      separator = ", ";
    }
    out.append(dict.size() == 0 ? "{}" : "}");
  }

  private static void writeRange(TextBuilder out, RangeValue range) {
    out.append("range(" + range.start() + ", " + range.stop());
    out.append(range.step() == 1 ? ")" : ", " + range.step() + ")");
  }

  private static void writeView(TextBuilder out, DictView view) {
    out.append(view.part().typeName()).append("([");
    String separator = "";
    for (final Iterator<Object> items = view.iterator(out.budget()); items.hasNext(); ) {
      write(out.append(separator), items.next());
      separator = ", ";
    }
    out.append("])");
  }

  private static void writeNamespace(TextBuilder out, Namespace namespace) {
    if (namespace.isPrinting()) {
      out.append("<Namespace {...}>");
      return;
    }
    namespace.setPrinting(true);
    out.budget().enter();
    String separator = "";
    out.append("<Namespace {");
    for (final var attribute : namespace.attributes().entrySet()) {
      out.append(separator).append(quoted(attribute.getKey())).append(": ");
      write(out, attribute.getValue());
      separator = ", ";
    }
    out.append("}>");
    out.budget().leave();
    namespace.setPrinting(false);
  }

  private static String quoted(String text) {
    final char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    final StringBuilder out = new StringBuilder(text.length() + 2).append(quote);
    text.codePoints().forEach(code -> quote(out, code, quote));
    return out.append(quote).toString();
  }

  private static void quote(StringBuilder out, int code, char quote) {
    switch (code) {
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      case '\\' -> out.append("\\\\");
      default -> {
        if (code == quote) {
          out.append('\\').append(quote);
        } else if (isPrintable(code)) {
          out.appendCodePoint(code);
        } else {
          out.append(
              String.format(
                  code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code));
        }
      }
    }
  }

  /** As {@code str.isprintable} for one character. */
  static boolean isPrintable(int code) {
    if (code == ' ') {
      return true;
    }
    return switch (Character.getType(code)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
