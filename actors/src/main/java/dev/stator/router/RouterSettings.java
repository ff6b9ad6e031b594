package dev.stator.router;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * {@code stator.router} in reference.conf; read and checked once, at start.
 *
 * @param inFlightMax sequences placed and not ended
 * @param pendingMax requests that wait for a worker
 * @param pendingTimeout how long they wait
 * @param retryAfter what a refused client is told
 * @param continueOnOtherNumerics whether an answer that has begun may go on at a worker that
 *     computes other bits, when none is there that computes the same
 * @param settleTime how long requests wait after its start, so that it gets to know its workers
 * @param checkInterval how often session nodes are asked whether what is booked still runs
 * @param checkBookings bookings in one such question
 * @param prefillWeight cost of a block to be computed
 * @param decodeWeight cost of a block to be held
 * @param transferWeight cost of a block to be pulled
 * @param hostOverlapWeight what a cached block in a worker's host memory counts, where one on its
 *     device counts 1
 * @param expectedAnswerTokens answer tokens a new sequence is expected to hold blocks for
 * @param remotePrefillMinTokens uncached tokens from which a remote prefill is worth it
 * @param remotePrefillMinShare uncached share of the prompt from which it is worth it
 * @param prefillQueueTokensMax owed tokens from which a prefill worker gets no more
 * @param remotePrefillTransferShareMax seconds of sending for a second of computing up to which it
 *     is worth it
 * @param pullMinBlocks blocks that another place must have more for it to be named
 * @param locateTimeout how long the cache directory may take to name places
 * @param candidatesMax compared workers named in a placement
 */
public record RouterSettings(
    int inFlightMax,
    int pendingMax,
    Duration pendingTimeout,
    Duration retryAfter,
    boolean continueOnOtherNumerics,
    Duration settleTime,
    Duration checkInterval,
    int checkBookings,
    double prefillWeight,
    double decodeWeight,
    double transferWeight,
    double hostOverlapWeight,
    int expectedAnswerTokens,
    int remotePrefillMinTokens,
    double remotePrefillMinShare,
    long prefillQueueTokensMax,
    double remotePrefillTransferShareMax,
    int pullMinBlocks,
    Duration locateTimeout,
    int candidatesMax) {
  public RouterSettings {
    require(inFlightMax > 0, "in-flight-max must be positive", inFlightMax);
    require(pendingMax >= 0, "pending-max must not be negative", pendingMax);
    require(pendingTimeout.isPositive(), "pending-timeout must be positive", pendingTimeout);
    require(retryAfter.isPositive(), "retry-after must be positive", retryAfter);
    require(!settleTime.isNegative(), "settle-time must not be negative", settleTime);
    require(checkInterval.isPositive(), "check-interval must be positive", checkInterval);
    require(checkBookings > 0, "check-bookings must be positive", checkBookings);
    require(prefillWeight >= 0, "prefill-weight must not be negative", prefillWeight);
    require(decodeWeight >= 0, "decode-weight must not be negative", decodeWeight);
    require(transferWeight >= 0, "transfer-weight must not be negative", transferWeight);
    require(
        hostOverlapWeight >= 0 && hostOverlapWeight <= 1,
        "host-overlap-weight must be in [0, 1]",
        hostOverlapWeight);
    require(
        expectedAnswerTokens >= 0,
        "expected-answer-tokens must not be negative",
        expectedAnswerTokens);
    require(
        remotePrefillMinTokens > 0,
        "remote-prefill-min-tokens must be positive",
        remotePrefillMinTokens);
    require(
        remotePrefillMinShare >= 0 && remotePrefillMinShare <= 1,
        "remote-prefill-min-share must be in [0, 1]",
        remotePrefillMinShare);
    require(
        prefillQueueTokensMax > 0,
        "prefill-queue-tokens-max must be positive",
        prefillQueueTokensMax);
    require(
        remotePrefillTransferShareMax > 0,
        "remote-prefill-transfer-share-max must be positive",
        remotePrefillTransferShareMax);
    require(pullMinBlocks > 0, "pull-min-blocks must be positive", pullMinBlocks);
    require(locateTimeout.isPositive(), "locate-timeout must be positive", locateTimeout);
    require(candidatesMax > 0, "candidates-max must be positive", candidatesMax);
  }

  /**
   * @param config at {@code stator.router}
   */
  public static RouterSettings from(Config config) {
    return new RouterSettings(
        config.getInt("in-flight-max"),
        config.getInt("pending-max"),
        config.getDuration("pending-timeout"),
        config.getDuration("retry-after"),
        config.getBoolean("continue-on-other-numerics"),
        config.getDuration("settle-time"),
        config.getDuration("check-interval"),
        config.getInt("check-bookings"),
        config.getDouble("prefill-weight"),
        config.getDouble("decode-weight"),
        config.getDouble("transfer-weight"),
        config.getDouble("host-overlap-weight"),
        config.getInt("expected-answer-tokens"),
        config.getInt("remote-prefill-min-tokens"),
        config.getDouble("remote-prefill-min-share"),
        config.getLong("prefill-queue-tokens-max"),
        config.getDouble("remote-prefill-transfer-share-max"),
        config.getInt("pull-min-blocks"),
        config.getDuration("locate-timeout"),
        config.getInt("candidates-max"));
  }

  private static void require(boolean holds, String rule, Object value) {
    if (!holds) throw new IllegalArgumentException("stator.router." + rule + ": " + value);
  }
}
