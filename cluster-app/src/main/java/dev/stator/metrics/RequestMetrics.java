package dev.stator.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

/** What is counted of generations, each by model. */
final class RequestMetrics {
  private static final double[] FIRST_TOKEN_SECONDS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120
  };
  private static final double[] TOKEN_SECONDS = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5
  };
  private static final double[] REQUEST_SECONDS = {
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800
  };
  private static final double[] TOKENS = {
    1, 4, 16, 64, 256, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072
  };

  final Gauge active;
  final Counter requests;
  final Counter choices;
  final Counter promptTokens;
  final Counter cachedTokens;
  final Counter generationTokens;
  final Histogram timeToFirstToken;
  final Histogram interTokenLatency;
  final Histogram duration;
  final Histogram requestPromptTokens;
  final Histogram requestGenerationTokens;

  RequestMetrics(PrometheusRegistry registry) {
    active =
        Gauge.builder()
            .name("stator_active_requests")
            .help("Generation requests in progress.")
            .labelNames("model")
            .register(registry);
    requests =
        counter("stator_requests", "Generation requests ended, by outcome.", "outcome")
            .register(registry);
    choices =
        counter("stator_choices", "Answers ended, by finish reason.", "finish_reason")
            .register(registry);
    promptTokens = counter("stator_prompt_tokens", "Prompt tokens served.").register(registry);
    cachedTokens =
        counter("stator_cached_prompt_tokens", "Prompt tokens found in the cache.")
            .register(registry);
    generationTokens =
        counter("stator_generation_tokens", "Answer tokens delivered.").register(registry);
    timeToFirstToken =
        histogram(
                "stator_time_to_first_token_seconds",
                "From a request's arrival to its first token.",
                FIRST_TOKEN_SECONDS)
            .register(registry);
    interTokenLatency =
        histogram(
                "stator_inter_token_latency_seconds",
                "Between two tokens of an answer.",
                TOKEN_SECONDS)
            .register(registry);
    duration =
        histogram(
                "stator_request_duration_seconds",
                "From a request's arrival to its answer's end.",
                REQUEST_SECONDS)
            .register(registry);
    requestPromptTokens =
        histogram("stator_request_prompt_tokens", "Prompt tokens of a request.", TOKENS)
            .register(registry);
    requestGenerationTokens =
        histogram("stator_request_generation_tokens", "Answer tokens of a request.", TOKENS)
            .register(registry);
  }

  private static Counter.Builder counter(String name, String help, String... labels) {
    String[] names = new String[labels.length + 1];
    names[0] = "model";
    System.arraycopy(labels, 0, names, 1, labels.length);
    return Counter.builder().name(name).help(help).labelNames(names);
  }

  private static Histogram.Builder histogram(String name, String help, double[] bounds) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .labelNames("model")
        .classicOnly()
        .classicUpperBounds(bounds);
  }
}
