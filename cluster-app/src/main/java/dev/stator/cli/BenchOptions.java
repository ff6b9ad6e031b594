package dev.stator.cli;

import dev.stator.cli.bench.BenchSettings;
import dev.stator.cli.bench.GoodputTargets;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Option;

/** The load of {@code stator bench}. */
final class BenchOptions {
  private enum EndpointKind {
    chat,
    completions
  }

  @Option(
      names = "--endpoint",
      paramLabel = "chat|completions",
      defaultValue = "chat",
      description = "What is asked for. Default: ${DEFAULT-VALUE}.")
  private EndpointKind endpoint;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      defaultValue = "4",
      description = "Closed loop: requests on their way at any time. Default: ${DEFAULT-VALUE}.")
  private int concurrency;

  @Option(
      names = "--rate",
      paramLabel = "R",
      description = "Open loop: requests a second, arriving at random (Poisson).")
  private Double rate;

  @Option(
      names = "--requests",
      paramLabel = "N",
      description = "Send this many at most. Default: 100 in a closed loop without --duration.")
  private Integer requests;

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      description = "Send for this long at most. Default: 30s in an open loop without --requests.")
  private String duration;

  @Option(
      names = "--input-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens of each prompt, chat template included. Default: ${DEFAULT-VALUE}.")
  private int inputTokens;

  @Option(
      names = "--output-tokens",
      paramLabel = "N",
      defaultValue = "64",
      description = "Tokens of each answer at most. Default: ${DEFAULT-VALUE}.")
  private int outputTokens;

  @Option(
      names = "--shared-prefix-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "Tokens that all prompts begin with, for prefix caches. Default: 0.")
  private int sharedPrefixTokens;

  @Option(
      names = "--ignore-eos",
      description = "Ask for all output tokens, whatever the model says (\"ignore_eos\").")
  private boolean ignoreEos;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "Sampling temperature. Default: 0, greedy.")
  private double temperature;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Of prompts, arrivals and sampling. The same seed again meets a warm prefix cache.")
  private long seed;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      defaultValue = "4",
      description = "Requests before the run, not measured. Default: ${DEFAULT-VALUE}.")
  private int warmUp;

  @Option(
      names = "--request-timeout",
      paramLabel = "TIME",
      defaultValue = "10m",
      description =
          "A request without its whole answer by then has failed. Default: ${DEFAULT-VALUE}.")
  private String timeout;

  @Option(
      names = "--max-in-flight",
      paramLabel = "N",
      defaultValue = "1024",
      description =
          "Open loop: requests on their way at most; others wait, and their latency counts the"
              + " wait. Default: ${DEFAULT-VALUE}.")
  private int inFlightMax;

  @Option(
      names = "--goodput",
      paramLabel = "TARGETS",
      description =
          "Count requests that meet these, such as ttft=200ms,itl=50ms,e2e=2s (itl: the request's"
              + " mean).")
  private String goodput;

  @Option(
      names = "--trace",
      paramLabel = "FILE",
      description =
          "Replay JSON lines with timestamp, input_length, output_length, hash_ids (Mooncake's"
              + " form): arrivals, sizes and shared prefixes.")
  private Path trace;

  @Option(
      names = "--trace-speed",
      paramLabel = "X",
      defaultValue = "1",
      description = "Replay the trace X times as fast. Default: 1.")
  private double traceSpeed;

  @Option(
      names = "--trace-scale",
      paramLabel = "X",
      defaultValue = "1",
      description = "Multiply the trace's token counts by X. Default: 1.")
  private double traceScale;

  BenchSettings toSettings() {
    return new BenchSettings(
        endpoint == EndpointKind.chat,
        inputTokens,
        outputTokens,
        sharedPrefixTokens,
        concurrency,
        rate,
        requests,
        duration == null ? null : Durations.parse("--duration", duration),
        inFlightMax,
        warmUp,
        seed,
        temperature,
        ignoreEos,
        timeout(),
        goodput == null ? GoodputTargets.NONE : GoodputTargets.parse(goodput),
        trace,
        traceSpeed,
        traceScale);
  }

  Duration timeout() {
    return Durations.parse("--request-timeout", timeout);
  }
}
