package dev.stator.request;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.FinishReason;
import dev.stator.engine.RequestId;
import dev.stator.engine.SampledToken;
import dev.stator.engine.SamplingParams;
import dev.stator.model.GenerationDefaults;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.Place;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PlacementAnswer.Cause;
import dev.stator.protocol.PlacementAnswer.NotPlaced;
import dev.stator.protocol.PlacementAnswer.Placed;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerAnswer.SequenceTokens;
import dev.stator.protocol.WorkerId;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Failed.Kind;
import dev.stator.testing.WordTokenizer;
import dev.stator.worker.SessionStats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;

/** Sessions between a reader and a router and workers that are probes. */
@ExtendWith(LogCapturingExtension.class)
abstract class SessionFixture {
  static final WordTokenizer WORDS = new WordTokenizer(65);
  static final SessionSettings SETTINGS =
      SessionSettings.from(
          ConfigFactory.parseString(
                  """
                  retries-max = 3, retry-delay = 1s, retry-delay-max = 2s
                  place-interval = 7s, check-interval = 10s
                  """)
              .withFallback(ConfigFactory.load().getConfig("stator.session")));
  static final ServedModel MODEL =
      new ServedModel(
          "m",
          0,
          100,
          WORDS,
          null,
          new GenerationDefaults(
              Set.of(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty()));
  static final int[] PROMPT = {1, 2, 3};
  static final RequestId ID = new RequestId("r#h.0/0");
  static final WorkerId A = new WorkerId("a", 0);
  static final WorkerId B = new WorkerId("b", 0);
  static final Duration SOON = Duration.ofMillis(20);
  static final Duration ROUTER_SAYS = Duration.ofSeconds(7);

  final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  final ManualTime time = ManualTime.get(testKit.system());
  final TestProbe<RouterCommand> router = testKit.createTestProbe();
  final TestProbe<PlannerCommand> planner = testKit.createTestProbe();
  final TestProbe<DecodeCommand> workerA = testKit.createTestProbe();
  final TestProbe<DecodeCommand> workerB = testKit.createTestProbe();
  final AtomicReference<SessionStats> stats = new AtomicReference<>(SessionStats.NONE);
  final ActorRef<SessionHub.Command> hub =
      testKit.spawn(
          SessionHub.create(() -> "h", MODEL, router.ref(), SETTINGS, stats::set, reporting()));
  SinkQueueWithCancel<GenerationEvent> reader;

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
  }

  SessionHub.Reporting reporting() {
    return new SessionHub.Reporting(planner.ref(), Duration.ofSeconds(1), System::nanoTime);
  }

  /** Opens a call and takes it to worker A. */
  DecodeCommand.Generate started(GenerationCall call) {
    open(call);
    placed(router.expectMessageClass(Place.class), A, workerA);
    return workerA.expectMessageClass(DecodeCommand.Generate.class);
  }

  void open(GenerationCall call) {
    reader =
        new LocalGenerations(hub, SETTINGS)
            .generate(call)
            .runWith(
                Sink.<GenerationEvent>queue().withAttributes(Attributes.inputBuffer(1, 1)),
                testKit.system());
  }

  static GenerationCall call(int choiceCount) {
    return new GenerationCall("r", "m", PROMPT, sampling(), choiceCount, List.of(), "");
  }

  static SamplingParams sampling() {
    return Seeds.sampling(
        new SamplingParams(1, 0, 1, 0, 1, 0, 0, Map.of(), 42, 10, 0, Set.of(), false, false, 0, ""),
        0);
  }

  static void placed(Place place, WorkerId worker, TestProbe<DecodeCommand> decode) {
    final var placement =
        new Placement(
            worker,
            "bits of " + worker.slot(),
            decode.ref(),
            0,
            null,
            List.of(),
            List.of(),
            "local: test");
    place.replyTo().tell(new Placed(place.id(), place.attempt(), placement));
  }

  static void notPlaced(Place place, Cause cause) {
    place
        .replyTo()
        .tell(
            new NotPlaced(
                place.id(), place.attempt(), cause, "router.decode-workers", 1, 0, ROUTER_SAYS));
  }

  static void answer(
      DecodeCommand.Generate generate,
      WorkerId worker,
      int firstIndex,
      FinishReason finish,
      int... ids) {
    final List<SampledToken> tokens = new ArrayList<>();
    for (int id : ids) tokens.add(new SampledToken(id, Float.NaN, List.of()));
    final var sequence =
        new SequenceTokens(
            generate.request().id(), generate.attempt(), firstIndex, tokens, finish, 2);
    generate.replyTo().tell(new WorkerAnswer.TokenBatch(worker, List.of(sequence)));
  }

  static void refuse(DecodeCommand.Generate generate, WorkerId worker, boolean passing) {
    generate
        .replyTo()
        .tell(
            new WorkerAnswer.Refused(
                generate.request().id(),
                generate.attempt(),
                worker,
                "engine.waiting-max",
                9,
                8,
                passing));
  }

  static void lose(DecodeCommand.Generate generate) {
    generate
        .replyTo()
        .tell(
            new WorkerAnswer.Lost(
                generate.request().id(), generate.attempt(), A, "the device failed", true));
  }

  GenerationEvent next() {
    return reader.pull().toCompletableFuture().orTimeout(10, TimeUnit.SECONDS).join().orElse(null);
  }

  List<GenerationEvent> rest() {
    final List<GenerationEvent> events = new ArrayList<>();
    for (GenerationEvent event = next(); event != null; event = next()) events.add(event);
    return events;
  }

  String textOfTheRest() {
    final StringBuilder text = new StringBuilder();
    for (GenerationEvent event : rest()) {
      if (event instanceof Delta delta) text.append(delta.text());
    }
    return text.toString();
  }

  void assertFails(Kind kind, String message, Duration retryAfter) {
    assertEquals(new Failed(kind, message, retryAfter), next());
    assertNull(next());
  }

  void awaitStats(SessionStats expected) {
    router.awaitAssert(() -> {
      assertEquals(expected, stats.get());
      return null;
    });
  }

  static String words(int... tokens) {
    assertTrue(tokens.length > 0);
    return WORDS.decode(tokens, true);
  }
}
