package dev.stator.cli.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** A run in virtual time whose report looks like a real one. */
final class BenchFixture {
  static final GoodputTargets TARGETS =
      new GoodputTargets(Duration.ofMillis(120), Duration.ofMillis(15), null);

  private BenchFixture() {}

  /** {@code count} requests in an open loop of 20 a second. */
  static BenchReport report(int count, IntPredicate fails) {
    final VirtualLoop loop = new VirtualLoop();
    final FakeEndpoint endpoint = new FakeEndpoint(loop, 80, 12, new SplittableRandom(7), fails);
    final long[] arrivals = Arrivals.poisson(20, Long.MAX_VALUE, count, 7);
    final List<RequestResult> results = new ArrayList<>();
    new LoadGenerator(
            IntStream.range(0, count)
                .mapToObj(i -> new PlannedRequest(i, arrivals[i], "prompt", 10 + i % 40))
                .iterator(),
            32,
            true,
            endpoint,
            loop,
            results::add,
            () -> {})
        .start();
    loop.runAll();
    final BenchReport.Run run =
        new BenchReport.Run(
            "http://127.0.0.1:8080",
            "stator-tiny",
            "2026-11-21T05:30:00Z",
            "2 x some CPU </script> & more, Linux amd64, Java 25",
            "stator 0.1.0",
            Map.of("load", "open loop, Poisson, 20 requests/s", "endpoint", "chat completions"));
    return Statistics.report(run, results, TARGETS);
  }
}
