package dev.stator.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Bytes, counts and times as people write them. */
public final class Quantities {
  private static final Pattern BYTES = Pattern.compile("(\\d{1,15})\\s*([KMGT]?)(i?B)?");
  private static final String UNITS = "KMGT";

  private Quantities() {}

  /**
   * Bytes from {@code 512MiB}, {@code 2G} or {@code 1048576}; units are powers of 1024.
   *
   * @throws UsageException when {@code text} is none of these
   */
  public static long parseBytes(String option, String text) {
    final Matcher matcher = BYTES.matcher(text.strip());
    if (!matcher.matches()) {
      throw new UsageException(option + " wants bytes such as 512MiB or 2GiB: '" + text + "'");
    }
    final long number = Long.parseLong(matcher.group(1));
    final String unit = matcher.group(2);
    final int shift = unit.isEmpty() ? 0 : 10 * (UNITS.indexOf(unit) + 1);
    if (number > Long.MAX_VALUE >> shift) {
      throw new UsageException(option + " is more than any machine has: '" + text + "'");
    }
    return number << shift;
  }

  /** {@code 512 B}, {@code 5.4 MiB}, {@code 1.2 GiB}. */
  public static String bytes(long bytes) {
    if (bytes < 1024) return bytes + " B";
    int unit = 0;
    double value = bytes / 1024.0;
    while (value >= 1023.95 && unit < UNITS.length() - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %siB", value, UNITS.charAt(unit));
  }

  /** {@code 950}, {@code 5.2 million}, {@code 1.24 billion}. */
  public static String large(long count) {
    if (count < 10_000) return grouped(count);
    if (count < 1_000_000_000) return String.format(Locale.ROOT, "%.1f million", count / 1e6);
    return String.format(Locale.ROOT, "%.2f billion", count / 1e9);
  }

  /** {@code 12,031}. */
  public static String grouped(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }
}
