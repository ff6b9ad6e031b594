package dev.stator.cli.bench;

import dev.stator.cli.client.OpenAiClient;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** One run: measure the prompts, warm up, send, report. */
public final class Bench {
  private static final int FEW_WORDS = 24;
  private static final int MANY_WORDS = 96;
  private static final long PROGRESS_EVERY_NS = TimeUnit.MILLISECONDS.toNanos(500);

  private final BenchSettings settings;
  private final OpenAiClient client;
  private final String model;
  private final ProgressPrinter printer;

  public Bench(BenchSettings settings, OpenAiClient client, String model, ProgressPrinter printer) {
    this.settings = settings;
    this.client = client;
    this.model = model;
    this.printer = printer;
  }

  /**
   * Runs to the end.
   *
   * @param run of the report; its settings are filled in here
   * @throws dev.stator.cli.client.EndpointException when the server does not answer the first
   *     requests, which measure how many tokens words have
   */
  public BenchReport run(BenchReport.Run run) throws InterruptedException {
    final PromptGenerator prompts = new PromptGenerator(settings.seed(), measureRatio());
    if (settings.warmUp() > 0) warmUp(prompts);
    try (TimerLoop loop = new TimerLoop()) {
      final Workload workload = Workload.of(settings, prompts, loop::nowNs);
      final RunMonitor monitor = new RunMonitor(settings, workload.count());
      send(workload, loop, monitor, settings.isOpenLoop(), true);
      return Statistics.report(
          run.with(settings.describe()), monitor.results(), settings.goodput());
    }
  }

  /**
   * Sends these requests when they are due, in place of the settings' load and without a warm-up.
   *
   * @param schedule by ascending arrival
   * @return in the order in which they ended
   * @throws dev.stator.cli.client.EndpointException as {@link #run}
   */
  public List<RequestResult> follow(List<TimedRequest> schedule) throws InterruptedException {
    final PromptGenerator prompts = new PromptGenerator(settings.seed(), measureRatio());
    try (TimerLoop loop = new TimerLoop()) {
      final Workload workload = Workload.schedule(schedule, prompts);
      final RunMonitor monitor = new RunMonitor(settings, workload.count());
      send(workload, loop, monitor, true, true);
      return List.copyOf(monitor.results());
    }
  }

  private void warmUp(PromptGenerator prompts) throws InterruptedException {
    printer.say("Warming up: " + settings.warmUp() + " requests.");
    try (TimerLoop loop = new TimerLoop()) {
      final Workload workload = Workload.warmUp(settings, prompts);
      send(workload, loop, new RunMonitor(settings, workload.count()), false, false);
    }
  }

  private void send(
      Workload workload, TimerLoop loop, RunMonitor monitor, boolean openLoop, boolean shown)
      throws InterruptedException {
    final CompletableFuture<Void> ended = new CompletableFuture<>();
    final LoadGenerator generator =
        new LoadGenerator(
            workload.requests(),
            openLoop ? settings.inFlightMax() : settings.concurrency(),
            openLoop,
            new HttpEndpoint(client, loop, settings, model),
            loop,
            monitor::add,
            () -> ended.complete(null));
    generator.start();
    if (shown) loop.execute(() -> showProgress(loop, monitor, generator));
    try {
      CompletableFuture.anyOf(ended, loop.broken()).get();
    } catch (ExecutionException bug) {
      throw new IllegalStateException("the load generator broke", bug.getCause());
    } finally {
      printer.end();
    }
  }

  private void showProgress(EventLoop loop, RunMonitor monitor, LoadGenerator generator) {
    printer.show(monitor.progress(loop.nowNs(), generator.inFlight()));
    loop.at(loop.nowNs() + PROGRESS_EVERY_NS, () -> showProgress(loop, monitor, generator));
  }

  private TokenRatio measureRatio() {
    final PromptGenerator words = new PromptGenerator(~settings.seed(), TokenRatio.UNKNOWN);
    try (TimerLoop clock = new TimerLoop()) {
      final HttpEndpoint endpoint = new HttpEndpoint(client, clock, settings, model);
      final int few = endpoint.countTokens(words.words(0, FEW_WORDS));
      final int many = endpoint.countTokens(words.words(1, MANY_WORDS));
      if (few >= 0 && many >= 0) return TokenRatio.through(FEW_WORDS, few, MANY_WORDS, many);
    }
    printer.say("The server does not count tokens: prompt sizes are a guess.");
    return TokenRatio.UNKNOWN;
  }
}
