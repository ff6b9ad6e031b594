package dev.stator.cli.bench;

import dev.stator.cli.Durations;
import dev.stator.cli.UsageException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The load of a run.
 *
 * @param chat chat completions; else plain completions
 * @param inputTokens of each prompt, template included
 * @param outputTokens asked for; an answer may end earlier unless {@code ignoreEos}
 * @param sharedPrefixTokens equal at the start of all prompts
 * @param concurrency requests on their way in a closed loop
 * @param rate requests a second of an open loop; {@code null} for a closed one
 * @param requests at most; {@code null} for no such limit
 * @param duration after which none is sent; {@code null} for no such limit
 * @param inFlightMax of an open loop; requests beyond it wait and their latency counts the wait
 * @param warmUp requests before the run that are not measured
 * @param timeout of a request
 * @param trace replaces arrivals and sizes; {@code null} for none
 * @param traceSpeed how many times faster than recorded the trace runs
 * @param traceScale what the trace's token counts are multiplied by
 */
public record BenchSettings(
    boolean chat,
    int inputTokens,
    int outputTokens,
    int sharedPrefixTokens,
    int concurrency,
    Double rate,
    Integer requests,
    Duration duration,
    int inFlightMax,
    int warmUp,
    long seed,
    double temperature,
    boolean ignoreEos,
    Duration timeout,
    GoodputTargets goodput,
    Path trace,
    double traceSpeed,
    double traceScale) {

  static final int CLOSED_LOOP_REQUESTS = 100;
  static final Duration OPEN_LOOP_DURATION = Duration.ofSeconds(30);

  /**
   * Where neither a number of requests nor a duration is given, a closed loop sends 100 requests
   * and an open one runs 30 seconds.
   *
   * @throws UsageException when a number is outside its range, or two options contradict
   */
  public BenchSettings {
    require(inputTokens > 0, "--input-tokens must be positive: " + inputTokens);
    require(outputTokens > 0, "--output-tokens must be positive: " + outputTokens);
    require(
        sharedPrefixTokens >= 0 && sharedPrefixTokens <= inputTokens,
        "--shared-prefix-tokens must be between 0 and --input-tokens: " + sharedPrefixTokens);
    require(concurrency > 0, "--concurrency must be positive: " + concurrency);
    require(requests == null || requests > 0, "--requests must be positive: " + requests);
    require(
        rate == null || (rate > 0 && rate <= 1e6), "--rate must be above 0, at most 1e6: " + rate);
    require(inFlightMax > 0, "--max-in-flight must be positive: " + inFlightMax);
    require(warmUp >= 0, "--warm-up must not be negative: " + warmUp);
    require(temperature >= 0, "--temperature must not be negative: " + temperature);
    require(traceSpeed > 0, "--trace-speed must be positive: " + traceSpeed);
    require(traceScale > 0, "--trace-scale must be positive: " + traceScale);
    require(trace == null || rate == null, "--trace brings its own arrivals: leave out --rate");
    if (trace == null && requests == null && duration == null) {
      if (rate == null) requests = CLOSED_LOOP_REQUESTS;
      else duration = OPEN_LOOP_DURATION;
    }
  }

  /**
   * For {@link Bench#follow}, which is given arrivals and sizes: chat completions, each as long as
   * asked for.
   */
  public static BenchSettings ofSchedule(
      Duration duration, int inFlightMax, long seed, Duration timeout, GoodputTargets goodput) {
    final int given = 1; // By the schedule.
    return new BenchSettings(
        true,
        given,
        given,
        0,
        given,
        (double) given,
        null,
        duration,
        inFlightMax,
        0,
        seed,
        0,
        true,
        timeout,
        goodput,
        null,
        given,
        given);
  }

  /** Whether requests are due at times of their own, not when another has ended. */
  public boolean isOpenLoop() {
    return rate != null || trace != null;
  }

  int requestsMax() {
    return requests == null ? Integer.MAX_VALUE : requests;
  }

  long durationNs() {
    return duration == null ? Long.MAX_VALUE : duration.toNanos();
  }

  /** For the report: what shapes the load, in words. */
  Map<String, String> describe() {
    final Map<String, String> words = new LinkedHashMap<>();
    words.put("endpoint", chat ? "chat completions" : "completions");
    words.put("load", load());
    if (trace == null) {
      words.put("input tokens", inputTokens + shared());
      words.put(
          "output tokens", outputTokens + (ignoreEos ? ", end of answer ignored" : " at most"));
    }
    words.put("temperature", Double.toString(temperature));
    words.put("seed", Long.toString(seed));
    words.put("warm-up", warmUp + " requests");
    return words;
  }

  private String load() {
    final String count = requests == null ? "" : ", " + requests + " requests at most";
    final String time = duration == null ? "" : ", " + Durations.format(duration);
    if (trace != null) {
      return "trace %s, speed %s, tokens x %s%s%s"
          .formatted(trace.getFileName(), traceSpeed, traceScale, count, time);
    }
    if (rate != null) return "open loop, Poisson, %s requests/s%s%s".formatted(rate, count, time);
    return "closed loop, concurrency " + concurrency + count.replace(" at most", "") + time;
  }

  private String shared() {
    return sharedPrefixTokens == 0 ? "" : ", the first " + sharedPrefixTokens + " shared";
  }

  private static void require(boolean condition, String message) {
    if (!condition) throw new UsageException(message);
  }
}
