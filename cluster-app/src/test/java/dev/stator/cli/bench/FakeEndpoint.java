package dev.stator.cli.bench;

import dev.stator.cli.client.EndpointException;
import dev.stator.cli.client.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.IntPredicate;

/** A server in virtual time: first token after {@code firstMs}, then one each {@code nextMs}. */
final class FakeEndpoint implements Endpoint {
  private final VirtualLoop loop;
  private final double firstMs;
  private final double nextMs;
  private final SplittableRandom jitter;
  private final IntPredicate fails;
  final List<Long> sentNs = new ArrayList<>();
  int inFlight;
  int inFlightMax;

  /** Without jitter and failures. */
  FakeEndpoint(VirtualLoop loop, double firstMs, double nextMs) {
    this(loop, firstMs, nextMs, null, _ -> false);
  }

  FakeEndpoint(
      VirtualLoop loop,
      double firstMs,
      double nextMs,
      SplittableRandom jitter,
      IntPredicate fails) {
    this.loop = loop;
    this.firstMs = firstMs;
    this.nextMs = nextMs;
    this.jitter = jitter;
    this.fails = fails;
  }

  @Override
  public void send(PlannedRequest request, Consumer<Response> onEnd) {
    sentNs.add(loop.nowNs());
    inFlightMax = Math.max(inFlightMax, ++inFlight);
    final Response response = response(request);
    loop.at(
        response.endNs(),
        () -> {
          inFlight--;
          onEnd.accept(response);
        });
  }

  private Response response(PlannedRequest request) {
    if (fails.test(request.index())) {
      return new Response(
          new long[0],
          loop.nowNs() + ns(firstMs),
          null,
          new EndpointException("HTTP 503", "the queue is <full> & closed"));
    }
    final long[] chunkNs = new long[request.outputTokens()];
    long ns = loop.nowNs();
    for (int i = 0; i < chunkNs.length; i++) {
      ns += ns(i == 0 ? firstMs : nextMs);
      chunkNs[i] = ns;
    }
    final Usage usage = new Usage(request.prompt().length(), chunkNs.length, 0);
    return new Response(chunkNs, ns, usage, null);
  }

  private long ns(double ms) {
    if (jitter == null) return (long) (ms * 1e6);
    final double exponential = -Math.log(1 - jitter.nextDouble());
    return (long) (ms * (0.6 + 0.4 * exponential) * 1e6);
  }
}
