package dev.stator.cli.batch;

import java.util.Locale;

/** What a batch came to. */
public record BatchSummary(
    int answered, int failed, long promptTokens, long completionTokens, double seconds) {
  /** One line for the user. */
  public String describe() {
    return String.format(
        Locale.ROOT,
        "%,d requests: %,d answered, %,d failed; %,d prompt and %,d answer tokens in %.1f s"
            + " (%.1f tokens/s)",
        answered + failed,
        answered,
        failed,
        promptTokens,
        completionTokens,
        seconds,
        seconds > 0 ? completionTokens / seconds : 0);
  }
}
