package dev.stator.request;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * {@code stator.session} in reference.conf; read and checked once, at start.
 *
 * @param sessionsMax sessions at once
 * @param choicesMax choices of one call
 * @param stopStringsMax stop strings of one call
 * @param stopStringLengthMax characters of a stop string
 * @param placeInterval how long the router may take before it is asked again
 * @param placePatience how long a choice may be without a place that runs it
 * @param checkInterval how often a choice is looked after
 * @param silentChecksMax looks in a row without a word of its worker, until a choice moves
 * @param retriesMax workers in a row that may lose a choice without a new token
 * @param retryDelay pause before the second try; doubles with each
 * @param retryDelayMax longest pause
 * @param retryAfter what a client is told that finds no session free
 */
public record SessionSettings(
    int sessionsMax,
    int choicesMax,
    int stopStringsMax,
    int stopStringLengthMax,
    Duration placeInterval,
    Duration placePatience,
    Duration checkInterval,
    int silentChecksMax,
    int retriesMax,
    Duration retryDelay,
    Duration retryDelayMax,
    Duration retryAfter) {
  public SessionSettings {
    requirePositive("sessions-max", sessionsMax);
    requirePositive("choices-max", choicesMax);
    requirePositive("stop-strings-max", stopStringsMax);
    requirePositive("stop-string-length-max", stopStringLengthMax);
    requirePositive("place-interval", placeInterval);
    requirePositive("place-patience", placePatience);
    requirePositive("check-interval", checkInterval);
    requirePositive("silent-checks-max", silentChecksMax);
    requirePositive("retries-max", retriesMax);
    requirePositive("retry-delay", retryDelay);
    requirePositive("retry-delay-max", retryDelayMax);
    requirePositive("retry-after", retryAfter);
  }

  /**
   * @param config at {@code stator.session}
   */
  public static SessionSettings from(Config config) {
    return new SessionSettings(
        config.getInt("sessions-max"),
        config.getInt("choices-max"),
        config.getInt("stop-strings-max"),
        config.getInt("stop-string-length-max"),
        config.getDuration("place-interval"),
        config.getDuration("place-patience"),
        config.getDuration("check-interval"),
        config.getInt("silent-checks-max"),
        config.getInt("retries-max"),
        config.getDuration("retry-delay"),
        config.getDuration("retry-delay-max"),
        config.getDuration("retry-after"));
  }

  /** The pause before a try. */
  Duration delayBefore(int retry) {
    final Duration delay = retryDelay.multipliedBy(1L << Math.min(retry - 1, 20));
    return delay.compareTo(retryDelayMax) < 0 ? delay : retryDelayMax;
  }

  private static void requirePositive(String key, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException("stator.session." + key + " must be positive: " + value);
    }
  }

  private static void requirePositive(String key, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException("stator.session." + key + " must be positive: " + value);
    }
  }
}
