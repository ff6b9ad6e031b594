package dev.stator.cli.bench;

import java.util.List;
import java.util.Map;

/**
 * All that a run measured. Latencies are those of requests that succeeded.
 *
 * @param run what was asked for
 * @param seconds from the start to the last answer's end
 * @param goodput {@code null} when no targets were given
 * @param ttftMs time to first token, from the intended sending
 * @param itlMs gaps between the chunks of an answer
 * @param tokenIntervalMs time per output token after the first, one value a request
 * @param endToEndMs from the intended sending to the end
 */
public record BenchReport(
    Run run,
    double seconds,
    Counts counts,
    Throughput throughput,
    Goodput goodput,
    Distribution ttftMs,
    Distribution itlMs,
    Distribution tokenIntervalMs,
    Distribution endToEndMs,
    Timeline timeline,
    List<RequestPoint> requests) {

  BenchReport with(List<RequestPoint> fewerRequests) {
    return new BenchReport(
        run,
        seconds,
        counts,
        throughput,
        goodput,
        ttftMs,
        itlMs,
        tokenIntervalMs,
        endToEndMs,
        timeline,
        fewerRequests);
  }

  /**
   * What was run, where.
   *
   * @param target the server's address
   * @param startedAt ISO 8601
   * @param machine the client's; also the server's when it ran in this process
   * @param settings name and value of all that shapes the load
   */
  public record Run(
      String target,
      String model,
      String startedAt,
      String machine,
      String stator,
      Map<String, String> settings) {
    Run with(Map<String, String> described) {
      return new Run(target, model, startedAt, machine, stator, described);
    }
  }

  /**
   * @param failures by kind
   * @param examples one message a kind
   * @param sendDelayMaxMs how late a request of an open loop was sent at worst
   */
  public record Counts(
      int sent,
      int succeeded,
      int failed,
      Map<String, Integer> failures,
      Map<String, String> examples,
      long inputTokens,
      long cachedTokens,
      long outputTokens,
      long chunks,
      double sendDelayMaxMs,
      boolean tokensCountedByServer) {}

  /** Per second of the whole run; of requests that succeeded. */
  public record Throughput(
      double requestsPerSecond,
      double outputTokensPerSecond,
      double inputTokensPerSecond,
      double totalTokensPerSecond) {}

  /**
   * @param share of all requests sent, failed ones too, that met the targets
   */
  public record Goodput(String targets, double requestsPerSecond, double share) {}

  /**
   * One request, for a scatter plot; the two latencies are {@code null} when it failed.
   *
   * @param failure kind; {@code null} when it succeeded
   */
  public record RequestPoint(
      int index,
      double atSeconds,
      Double ttftMs,
      Double endToEndMs,
      int inputTokens,
      int outputTokens,
      String failure) {}
}
