package dev.stator.cli.bench;

import java.util.Locale;

/**
 * How far a run is.
 *
 * @param share of the run that is done, 0 to 1
 * @param ended requests that ended, failed ones too
 * @param total requests of the run; 0 when not known
 */
public record Progress(
    double share,
    double seconds,
    int ended,
    int total,
    int inFlight,
    int failed,
    long outputTokens) {
  private static final int BAR_LENGTH = 24;

  /** A bar and the figures, one line. */
  String bar() {
    final int filled = (int) Math.round(Math.clamp(share, 0, 1) * BAR_LENGTH);
    return "[%s%s] %s".formatted("#".repeat(filled), "-".repeat(BAR_LENGTH - filled), figures());
  }

  /** The figures alone, for logs. */
  String figures() {
    return String.format(
        Locale.ROOT,
        "%3.0f %%  %.0f s  %d%s requests, %d running, %d failed, %.1f tokens/s",
        100 * Math.clamp(share, 0, 1),
        seconds,
        ended,
        total > 0 ? "/" + total : "",
        inFlight,
        failed,
        seconds > 0 ? outputTokens / seconds : 0);
  }
}
