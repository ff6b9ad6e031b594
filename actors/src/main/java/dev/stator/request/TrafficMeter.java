package dev.stator.request;

import dev.stator.protocol.LogCounts;
import dev.stator.protocol.TrafficReport;
import java.util.HashMap;
import java.util.Map;

/**
 * Counts what a frontend's calls ask for and how soon their tokens come: TTFT from the call's start
 * to the first token of its first choice, ITL between two arrivals of a choice's tokens, shared
 * evenly by the tokens of the later one. One thread.
 */
public final class TrafficMeter {
  private static final class Call {
    final long startNs;
    final long[] lastNs; // By choice, meaningful once it has tokens.
    final boolean[] hasTokens;

    Call(long startNs, int choiceCount) {
      this.startNs = startNs;
      this.lastNs = new long[choiceCount];
      this.hasTokens = new boolean[choiceCount];
    }
  }

  private final Map<String, Call> calls = new HashMap<>();
  private final long[] promptLengths = new long[LogCounts.BUCKETS_MAX];
  private final long[] ttftMicros = new long[LogCounts.BUCKETS_MAX];
  private final long[] itlMicros = new long[LogCounts.BUCKETS_MAX];
  private long sequences;
  private long ended;
  private long promptTokens;
  private long answerTokens;

  public void started(String call, int promptLength, int choiceCount, long nowNs) {
    calls.put(call, new Call(nowNs, choiceCount));
    sequences += choiceCount;
    promptTokens += promptLength;
    promptLengths[LogCounts.bucket(promptLength)]++;
  }

  /** Tokens of one of a call's choices have arrived; those of an unknown call are ignored. */
  public void tokens(String call, int choice, int count, long nowNs) {
    final Call timing = calls.get(call);
    if (timing == null || count == 0) return;
    answerTokens += count;
    if (timing.hasTokens[choice]) {
      final long gapNs = (nowNs - timing.lastNs[choice]) / count;
      itlMicros[LogCounts.bucket(gapNs / 1000)] += count;
    } else if (choice == 0) {
      ttftMicros[LogCounts.bucket((nowNs - timing.startNs) / 1000)]++;
    }
    timing.hasTokens[choice] = true;
    timing.lastNs[choice] = nowNs;
  }

  /** However it has ended; an unknown call is ignored. */
  public void ended(String call) {
    final Call timing = calls.remove(call);
    if (timing != null) ended += timing.lastNs.length;
  }

  /** The totals so far. */
  public TrafficReport report(String source) {
    return new TrafficReport(
        source,
        sequences,
        ended,
        promptTokens,
        answerTokens,
        LogCounts.of(promptLengths),
        LogCounts.of(ttftMicros),
        LogCounts.of(itlMicros));
  }
}
