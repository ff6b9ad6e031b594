package dev.stator.model.text.template;

import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Dates in C's {@code strftime} formats, in English. */
final class Strftime {
  private static final Locale ENGLISH = Locale.ENGLISH;
  private static final String FLAGS = "-_0^#";

  private Strftime() {}

  /** Formats; a directive that is unknown stays as it is. */
  static String format(ZonedDateTime time, String format) {
    final StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      if (format.charAt(i) != '%' || i + 1 == format.length()) {
        out.append(format.charAt(i));
        continue;
      }
      final int start = i++;
      char flag = ' ';
      if (FLAGS.indexOf(format.charAt(i)) >= 0 && i + 1 < format.length()) {
        flag = format.charAt(i++);
      }
      final String text = directive(time, format.charAt(i), flag);
      out.append(text == null ? format.substring(start, i + 1) : text);
    }
    return out.toString();
  }

  private static String directive(ZonedDateTime time, char directive, char flag) {
    return switch (directive) {
      case 'a' -> word(time.getDayOfWeek().getDisplayName(TextStyle.SHORT, ENGLISH), flag);
      case 'A' -> word(time.getDayOfWeek().getDisplayName(TextStyle.FULL, ENGLISH), flag);
      case 'b', 'h' -> word(time.getMonth().getDisplayName(TextStyle.SHORT, ENGLISH), flag);
      case 'B' -> word(time.getMonth().getDisplayName(TextStyle.FULL, ENGLISH), flag);
      case 'p' -> word(time.getHour() < 12 ? "AM" : "PM", flag == '#' ? 'l' : flag);
      case 'P' -> time.getHour() < 12 ? "am" : "pm";
      case 'c' -> format(time, "%a %b %e %H:%M:%S %Y");
      case 'D', 'x' -> format(time, "%m/%d/%y");
      case 'F' -> format(time, "%Y-%m-%d");
      case 'R' -> format(time, "%H:%M");
      case 'r' -> format(time, "%I:%M:%S %p");
      case 'T', 'X' -> format(time, "%H:%M:%S");
      case 'f' -> String.format(ENGLISH, "%06d", time.getNano() / 1000);
      case 's' -> String.valueOf(time.toEpochSecond());
      case 'z', 'Z' -> ""; // Python's datetime.now() knows no zone.
      case 'n' -> "\n";
      case 't' -> "\t";
      case '%' -> "%";
      default -> number(time, directive, flag);
    };
  }

  private static String word(String word, char flag) {
    return flag == '^' || flag == '#'
        ? word.toUpperCase(ENGLISH)
        : flag == 'l' ? word.toLowerCase(ENGLISH) : word;
  }

  private static String number(ZonedDateTime time, char directive, char flag) {
    return switch (directive) {
      case 'd' -> padded(time.getDayOfMonth(), 2, '0', flag);
      case 'e' -> padded(time.getDayOfMonth(), 2, ' ', flag);
      case 'm' -> padded(time.getMonthValue(), 2, '0', flag);
      case 'y' -> padded(time.getYear() % 100, 2, '0', flag);
      case 'Y' -> padded(time.getYear(), 1, '0', flag);
      case 'C' -> padded(time.getYear() / 100, 2, '0', flag);
      case 'H' -> padded(time.getHour(), 2, '0', flag);
      case 'k' -> padded(time.getHour(), 2, ' ', flag);
      case 'I' -> padded(hourOfHalf(time), 2, '0', flag);
      case 'l' -> padded(hourOfHalf(time), 2, ' ', flag);
      case 'M' -> padded(time.getMinute(), 2, '0', flag);
      case 'S' -> padded(time.getSecond(), 2, '0', flag);
      case 'j' -> padded(time.getDayOfYear(), 3, '0', flag);
      case 'u' -> padded(time.getDayOfWeek().getValue(), 1, '0', flag);
      case 'w' -> padded(time.getDayOfWeek().getValue() % 7, 1, '0', flag);
      case 'V' -> padded(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', flag);
      case 'G' -> padded(time.get(IsoFields.WEEK_BASED_YEAR), 1, '0', flag);
      case 'U' -> padded(week(time, time.getDayOfWeek().getValue() % 7), 2, '0', flag);
      case 'W' -> padded(week(time, time.getDayOfWeek().getValue() - 1), 2, '0', flag);
      default -> null;
    };
  }

  private static int hourOfHalf(ZonedDateTime time) {
    return time.getHour() % 12 == 0 ? 12 : time.getHour() % 12;
  }

  /** The week of the year, given how many days of its week have gone. */
  private static int week(ZonedDateTime time, int daysGone) {
    return (time.getDayOfYear() - 1 + 7 - daysGone) / 7;
  }

  private static String padded(int value, int width, char natural, char flag) {
    final String digits = String.valueOf(value);
    final char fill = flag == '_' ? ' ' : flag == '0' ? '0' : natural;
    return flag == '-'
        ? digits
        : String.valueOf(fill).repeat(Math.max(0, width - digits.length())) + digits;
  }
}
