package dev.stator.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LoadGeneratorTest {
  private static final double FIRST_TOKEN_MS = 30;
  private static final double NEXT_TOKEN_MS = 10;
  private static final int TOKENS = 4;
  private static final long REQUEST_NS = 60_000_000;

  private final VirtualLoop loop = new VirtualLoop();
  private final FakeEndpoint endpoint = new FakeEndpoint(loop, FIRST_TOKEN_MS, NEXT_TOKEN_MS);
  private final List<RequestResult> results = new ArrayList<>();
  private int ends;

  @Test
  void shouldKeepTheConcurrencyOfAClosedLoop() {
    run(due(0, 0, 0, 0, 0, 0, 0), 3, false);
    assertEquals(3, endpoint.inFlightMax);
    assertEquals(7, results.size());
    assertEquals(3 * REQUEST_NS, loop.nowNs()); // 3 + 3 + 1
  }

  @Test
  void shouldCountAClosedLoopsLatencyFromItsSending() {
    run(due(0, 0), 1, false);
    assertEquals(REQUEST_NS, results.get(1).sentNs());
    assertEquals(30_000_000, results.get(1).ttftNs());
    assertEquals(REQUEST_NS, results.get(1).endToEndNs());
    assertEquals(10_000_000, results.get(1).tokenIntervalNs());
  }

  @Test
  void shouldSendWhenDueWhateverIsStillRunningInAnOpenLoop() {
    run(due(5, 7, 9, 500), 100, true);
    assertEquals(List.of(5L, 7L, 9L, 500L), sentMs());
    assertEquals(3, endpoint.inFlightMax);
  }

  @Test
  void shouldCountTheWaitWhenAnOpenLoopIsHeldBack() {
    run(due(0, 10), 1, true);
    assertEquals(List.of(0L, 60L), sentMs());
    assertEquals((50 + 30) * 1_000_000L, results.get(1).ttftNs());
  }

  @Test
  void shouldEndOnceAfterTheLastResult() {
    run(due(1, 2, 3), 2, true);
    assertEquals(1, ends);
  }

  @Test
  void shouldEndAtOnceWhenThereIsNothingToSend() {
    run(due(), 2, true);
    assertEquals(1, ends);
    assertTrue(results.isEmpty());
  }

  @Test
  void shouldSurviveAnEndpointThatAnswersWithinSend() {
    final Endpoint immediate =
        (_, onEnd) -> onEnd.accept(new Response(new long[0], loop.nowNs(), null, null));
    new LoadGenerator(due(0, 0, 0), 1, false, immediate, loop, results::add, () -> ends++).start();
    loop.runAll();
    assertEquals(3, results.size());
    assertEquals(1, ends);
  }

  private void run(Iterator<PlannedRequest> requests, int inFlightMax, boolean openLoop) {
    new LoadGenerator(
            requests,
            inFlightMax,
            openLoop,
            endpoint,
            loop,
            results::add,
            () -> {
              assertEquals(0, endpoint.inFlight);
              ends++;
            })
        .start();
    loop.runAll();
  }

  private List<Long> sentMs() {
    return endpoint.sentNs.stream().map(ns -> ns / 1_000_000).toList();
  }

  private static Iterator<PlannedRequest> due(long... ms) {
    final long[] ns = LongStream.of(ms).map(value -> value * 1_000_000).toArray();
    return IntStream.range(0, ns.length)
        .mapToObj(i -> new PlannedRequest(i, ns[i], "prompt", TOKENS))
        .iterator();
  }
}
