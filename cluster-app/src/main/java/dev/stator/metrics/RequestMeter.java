package dev.stator.metrics;

import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Embedded;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.Usage;
import java.util.function.LongSupplier;

/**
 * Watches one generation. {@link #observe} is called by one thread at a time; {@link #close} by
 * any, once or more.
 */
public final class RequestMeter implements AutoCloseable {
  private static final double NANOS_PER_SECOND = 1e9;

  private final RequestMetrics metrics;
  private final String model;
  private final long startNanos;
  private final LongSupplier nanoClock;
  private final long[] lastTokenNanos;
  private final boolean[] hasToken;
  private boolean hasFirstToken;
  private boolean isEnded;

  RequestMeter(
      RequestMetrics metrics,
      String model,
      int choiceCount,
      long startNanos,
      LongSupplier nanoClock) {
    this.metrics = metrics;
    this.model = model;
    this.startNanos = startNanos;
    this.nanoClock = nanoClock;
    this.lastTokenNanos = new long[choiceCount];
    this.hasToken = new boolean[choiceCount];
    metrics.active.labelValues(model).inc();
  }

  /** Takes each event that goes to the client, when it goes. */
  public synchronized void observe(GenerationEvent event) {
    if (isEnded) return;
    switch (event) {
      case Delta delta -> tokens(delta.choiceIndex(), delta.tokenCount());
      case Placed _ -> {}
      case Embedded _ -> {}
      case Finished(_, var reason) -> metrics.choices.labelValues(model, label(reason)).inc();
      case Completed(var usage) -> completed(usage);
      case Failed _ -> end("failed");
    }
  }

  /** The generation is over; one that has had neither completion nor failure was cancelled. */
  @Override
  public synchronized void close() {
    if (!isEnded) end("cancelled");
  }

  private void tokens(int choice, int tokenCount) {
    if (tokenCount == 0) return;
    long now = nanoClock.getAsLong();
    if (!hasFirstToken) {
      hasFirstToken = true;
      metrics.timeToFirstToken.labelValues(model).observe((now - startNanos) / NANOS_PER_SECOND);
    }
    if (hasToken[choice]) {
      double each = (now - lastTokenNanos[choice]) / NANOS_PER_SECOND / tokenCount;
      for (int token = 0; token < tokenCount; token++) {
        metrics.interTokenLatency.labelValues(model).observe(each);
      }
    }
    hasToken[choice] = true;
    lastTokenNanos[choice] = now;
    metrics.generationTokens.labelValues(model).inc(tokenCount);
  }

  private void completed(Usage usage) {
    metrics.promptTokens.labelValues(model).inc(usage.promptTokens());
    metrics.cachedTokens.labelValues(model).inc(usage.cachedTokens());
    metrics.requestPromptTokens.labelValues(model).observe(usage.promptTokens());
    metrics.requestGenerationTokens.labelValues(model).observe(usage.completionTokens());
    end("completed");
  }

  private void end(String outcome) {
    isEnded = true;
    metrics.active.labelValues(model).dec();
    metrics.requests.labelValues(model, outcome).inc();
    metrics
        .duration
        .labelValues(model)
        .observe((nanoClock.getAsLong() - startNanos) / NANOS_PER_SECOND);
  }

  private static String label(FinishReason reason) {
    return switch (reason) {
      case STOP -> "stop";
      case LENGTH -> "length";
    };
  }
}
