package dev.stator.protocol;

import java.time.Duration;

/**
 * What a frontend's sessions have asked for and got; sent every report interval.
 *
 * @param source names the sender among all frontends and their lives
 * @param sequences started; a call with n &gt; 1 counts n times
 * @param ended of these, for whatever reason
 * @param promptTokens of the started calls
 * @param answerTokens that have arrived
 * @param youngAnswerTokens of these, those of sequences that got their first token at most {@link
 *     #YOUNG} before
 * @param youngEnded of the ended ones, those that ended as young
 * @param promptLengths tokens of each call's prompt
 * @param ttftMicros from a call's start to its first token
 * @param itlMicros between two tokens of a sequence
 */
public record TrafficReport(
    String source,
    long sequences,
    long ended,
    long promptTokens,
    long answerTokens,
    long youngAnswerTokens,
    long youngEnded,
    LogCounts promptLengths,
    LogCounts ttftMicros,
    LogCounts itlMicros)
    implements PlannerCommand {
  /** A younger request counts among what is asked at present. */
  public static final Duration YOUNG = Duration.ofSeconds(5);

  /** What has come since {@code earlier}; all of it when the sender has started anew meanwhile. */
  public TrafficReport since(TrafficReport earlier) {
    if (earlier.sequences > sequences || earlier.answerTokens > answerTokens) return this;
    return new TrafficReport(
        source,
        sequences - earlier.sequences,
        ended - earlier.ended,
        promptTokens - earlier.promptTokens,
        answerTokens - earlier.answerTokens,
        youngAnswerTokens - earlier.youngAnswerTokens,
        youngEnded - earlier.youngEnded,
        promptLengths.minus(earlier.promptLengths),
        ttftMicros.minus(earlier.ttftMicros),
        itlMicros.minus(earlier.itlMicros));
  }

  /** The sum of two intervals or senders, under this one's name. */
  public TrafficReport plus(TrafficReport other) {
    return new TrafficReport(
        source,
        sequences + other.sequences,
        ended + other.ended,
        promptTokens + other.promptTokens,
        answerTokens + other.answerTokens,
        youngAnswerTokens + other.youngAnswerTokens,
        youngEnded + other.youngEnded,
        promptLengths.plus(other.promptLengths),
        ttftMicros.plus(other.ttftMicros),
        itlMicros.plus(other.itlMicros));
  }

  /** Nothing yet. */
  public static TrafficReport none(String source) {
    return new TrafficReport(
        source, 0, 0, 0, 0, 0, 0, LogCounts.NONE, LogCounts.NONE, LogCounts.NONE);
  }
}
