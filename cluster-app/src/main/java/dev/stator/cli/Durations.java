package dev.stator.cli;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them. */
public final class Durations {
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,6})?)(ms|s|m|h)?");

  private Durations() {}

  /**
   * A duration from {@code 200ms}, {@code 30s}, {@code 1.5m} or {@code 2h}; a bare number is
   * seconds.
   *
   * @throws UsageException when {@code text} is none of these, or zero
   */
  public static Duration parse(String option, String text) {
    final Matcher matcher = DURATION.matcher(text.strip());
    if (!matcher.matches()) {
      throw new UsageException(
          option + " wants a duration such as 200ms, 30s or 2m: '" + text + "'");
    }
    final long unitNs =
        switch (matcher.group(2)) {
          case "ms" -> 1_000_000L;
          case "m" -> 60_000_000_000L;
          case "h" -> 3_600_000_000_000L;
          case null, default -> 1_000_000_000L;
        };
    final Duration duration =
        Duration.ofNanos(
            new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unitNs)).longValue());
    if (!duration.isPositive())
      throw new UsageException(option + " must be positive: '" + text + "'");
    return duration;
  }

  /** {@code 250 ms}, {@code 12.5 s}. */
  public static String format(Duration duration) {
    final long ms = duration.toMillis();
    return ms < 1000 ? ms + " ms" : String.format(Locale.ROOT, "%.4g s", ms / 1e3);
  }
}
