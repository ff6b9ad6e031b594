package dev.stator.planner;

import dev.stator.protocol.LogCounts;
import dev.stator.protocol.TrafficReport;
import java.util.Optional;

/**
 * Tells the load of the next intervals from that of the last ones. The rate of sequences is told
 * ahead with its trend by {@link HoltSeries}; a prompt's length is tokens over sequences, each
 * smoothed without trend, since quotients of trends run away.
 *
 * <p>An answer's length is tokens over ends, each smoothed: the maximum likelihood estimate of a
 * mean life from lives that partly still last (exponential lives under censoring, as in Lawless,
 * Statistical Models and Methods for Lifetime Data, section 4.1). Answers that get longer show at
 * once, not when the first long one has ended. Answers that get shorter show among the young
 * sequences first, while old ones go on: the lesser of the two counts for what starts. One thread.
 */
public final class LoadForecast {
  /**
   * What is asked for.
   *
   * @param sequencesPerSecond that start
   * @param promptLength tokens of a prompt, cached ones included
   * @param answerLength tokens of an answer that starts
   * @param runningAnswerLength tokens that an answer that runs already still gets
   * @param promptLengths of the latest prompts, for the spread around the mean
   */
  public record Load(
      double sequencesPerSecond,
      double promptLength,
      double answerLength,
      double runningAnswerLength,
      LogCounts promptLengths) {}

  private static final int LENGTHS_KEPT = 2000; // Prompts whose lengths make the spread.

  private final HoltSeries sequences;
  private final HoltSeries promptTokens;
  private final HoltSeries answerTokens;
  private final HoltSeries ends;
  private final HoltSeries youngAnswerTokens;
  private final HoltSeries youngEnds;
  private LogCounts lengths = LogCounts.NONE;
  private LogCounts olderLengths = LogCounts.NONE;
  private int intervals;

  /**
   * @param alpha weight of the latest interval, in (0, 1]
   * @param beta weight of the latest slope, in [0, 1]
   * @param phi how much of a trend is left an interval later, in (0, 1]
   */
  public LoadForecast(double alpha, double beta, double phi) {
    sequences = new HoltSeries(alpha, beta, phi);
    promptTokens = new HoltSeries(alpha, 0, phi);
    answerTokens = new HoltSeries(alpha, 0, phi);
    ends = new HoltSeries(alpha, 0, phi);
    youngAnswerTokens = new HoltSeries(alpha, 0, phi);
    youngEnds = new HoltSeries(alpha, 0, phi);
  }

  /**
   * One interval's traffic.
   *
   * @param seconds its length, positive
   */
  public void observe(double seconds, TrafficReport traffic) {
    sequences.observe(traffic.sequences() / seconds);
    promptTokens.observe(traffic.promptTokens() / seconds);
    answerTokens.observe(traffic.answerTokens() / seconds);
    ends.observe(traffic.ended() / seconds);
    youngAnswerTokens.observe(traffic.youngAnswerTokens() / seconds);
    youngEnds.observe(traffic.youngEnded() / seconds);
    lengths = lengths.plus(traffic.promptLengths());
    if (lengths.total() > LENGTHS_KEPT / 2) {
      olderLengths = lengths;
      lengths = LogCounts.NONE;
    }
    intervals++;
  }

  /** An interval of which nothing is known. */
  public void miss() {
    sequences.miss();
    promptTokens.miss();
    answerTokens.miss();
    ends.miss();
    youngAnswerTokens.miss();
    youngEnds.miss();
  }

  /** Intervals that were observed. */
  public int intervals() {
    return intervals;
  }

  /**
   * The mean load of the next intervals; empty before any is known, or when nothing has been asked
   * for lately.
   *
   * @param horizon intervals, positive
   */
  public Optional<Load> ahead(int horizon) {
    final double rate = sequences.mean(horizon);
    if (intervals == 0 || sequences.level() <= 0 || rate <= 0) return Optional.empty();
    final double prompt = promptTokens.level() / sequences.level();
    final double running = perEnd(answerTokens, ends);
    final double answer = Math.min(running, perEnd(youngAnswerTokens, youngEnds));
    return Optional.of(
        new Load(rate, Math.max(1, prompt), answer, running, lengths.plus(olderLengths)));
  }

  /** At least 1: who starts gets a token. */
  private static double perEnd(HoltSeries tokens, HoltSeries ends) {
    return Math.max(1, tokens.level() / Math.max(ends.level(), LEAST_ENDS));
  }

  private static final double LEAST_ENDS = 1e-3; // A second; with fewer ends lengths are unknown.
}
