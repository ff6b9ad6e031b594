package dev.stator.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.device.Device;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.engine.Engine;
import dev.stator.engine.EngineSettings;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.LocalEngine;
import dev.stator.engine.RequestId;
import dev.stator.engine.SampledToken;
import dev.stator.engine.SamplingParams;
import dev.stator.engine.StepReport;
import dev.stator.model.GenerationDefaults;
import dev.stator.model.grammar.Constraint;
import dev.stator.model.grammar.ConstraintCompiler;
import dev.stator.model.grammar.GrammarSettings;
import dev.stator.model.grammar.TokenTrie;
import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.ServedModel;
import dev.stator.testing.WordTokenizer;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSelection;
import org.apache.pekko.actor.Kill;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;

/** A node on simulated devices, and what its answers must be. */
final class TestNode implements AutoCloseable {
  static final int VOCABULARY = 97;
  static final int END_TOKEN = VOCABULARY - 1;
  static final int BLOCK_SIZE = 4;
  static final int CONTEXT = 256;
  static final int BLOCKS = 128;
  static final EngineSettings ENGINE = new EngineSettings(24, 8, 8, 16, 64, 4096, 64, 1);
  static final WordTokenizer TOKENIZER = new WordTokenizer(VOCABULARY);
  static final ServedModel MODEL =
      new ServedModel(
          "simulated",
          0,
          CONTEXT,
          TOKENIZER,
          null,
          new GenerationDefaults(
              Set.of(END_TOKEN),
              OptionalDouble.empty(),
              OptionalDouble.empty(),
              OptionalInt.empty()));
  static final Set<WorkerRole> BOTH = Set.of(WorkerRole.PREFILL, WorkerRole.DECODE);
  private static final String QUICK =
      """
      pekko.loglevel = DEBUG
      pekko.actor.testkit.typed.single-expect-default = 10s
      stator.router.remote-prefill-min-tokens = 9
      stator.router.remote-prefill-transfer-share-max = 1e9 # The device computes in no time.
      stator.router.remote-prefill-min-share = 0.1
      stator.worker.remote-prefill-timeout = 500ms
      stator.worker.write-retry-delay = 1ms
      stator.worker.report-interval = 20ms
      stator.worker.reconcile-interval = 100ms
      stator.worker.take-over-blocks = 2
      stator.session.check-interval = 200ms
      stator.session.place-interval = 100ms
      stator.router.settle-time = 20ms
      stator.router.check-interval = 100ms
      stator.transport.write-timeout = 100ms
      stator.transport.poll-interval = 20ms
      stator.node.restart-delay-min = 10ms
      stator.session.retry-delay = 5ms
      stator.session.retry-delay-max = 50ms
      stator.session.retries-max = 100
      """;

  final ActorTestKit testKit;
  final LocalNode node;
  private final TransferBackend backend;

  private TestNode(String overrides, List<EngineSlot> slots, TransferBackend backend) {
    final Config config =
        ConfigFactory.parseString(overrides)
            .withFallback(ConfigFactory.parseString(QUICK))
            .withFallback(ConfigFactory.load());
    testKit = ActorTestKit.create(config.resolve());
    this.backend =
        backend == null
            ? InProcessBackend.create(
                TransferSettings.from(config.resolve().getConfig("stator.transport")))
            : backend;
    node =
        LocalNode.start(
            testKit.system(),
            MODEL,
            slots,
            new LocalNode.Surroundings(
                this.backend, System::nanoTime, new Random(1), new SplittableRandom(1)));
  }

  static TestNode start(String overrides, TransferBackend backend, EngineSlot... slots) {
    return new TestNode(overrides, List.of(slots), backend);
  }

  static TestNode aggregated(String overrides) {
    return start(overrides, null, slot("both", BOTH, BLOCKS));
  }

  static TestNode disaggregated(String overrides, TransferBackend backend) {
    return start(
        overrides,
        backend,
        slot("prefill", Set.of(WorkerRole.PREFILL), BLOCKS),
        slot("decode", Set.of(WorkerRole.DECODE), BLOCKS));
  }

  static EngineSlot slot(String name, Set<WorkerRole> roles, int blocks) {
    return new EngineSlot(name, roles, engine(blocks));
  }

  static Supplier<Engine> engine(int blocks) {
    return () -> engineOn(new SimulatedDevice(blocks, BLOCK_SIZE, VOCABULARY, CONTEXT));
  }

  /** A slot whose steps are controlled by the test. */
  static EngineSlot controlled(
      String name, Set<WorkerRole> roles, ControlledDevice.Control control) {
    return new EngineSlot(
        name,
        roles,
        () ->
            engineOn(
                new ControlledDevice(
                    new SimulatedDevice(BLOCKS, BLOCK_SIZE, VOCABULARY, CONTEXT), control)));
  }

  static LocalEngine engineOn(Device device) {
    final TokenTrie trie = TokenTrie.of(TOKENIZER);
    final GrammarSettings grammars = GrammarSettings.from(ConfigFactory.load());
    return new LocalEngine(
        device,
        ENGINE,
        Set.of(END_TOKEN),
        new ConstraintCompiler(() -> trie, grammars, Runnable::run));
  }

  /** A sampled call whose answer must be of a form. */
  static GenerationCall constrained(String id, long seed, int maxTokens, Constraint constraint) {
    final int[] prompt = new Random(seed).ints(20, 0, END_TOKEN).toArray();
    final String form = constraint.toText();
    final var sampling =
        new SamplingParams(
            1f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), seed, maxTokens, 0, Set.of(), false, false, 0,
            form);
    return new GenerationCall(id, "simulated", prompt, sampling, 1, List.of(), "");
  }

  /** A sampled call with log-probabilities, all of it derived from the seed. */
  static GenerationCall call(String id, long seed, int promptLength, int maxTokens) {
    return call(id, seed, promptLength, maxTokens, 1, List.of());
  }

  static GenerationCall call(
      String id,
      long seed,
      int promptLength,
      int maxTokens,
      int choiceCount,
      List<String> stopStrings) {
    final int[] prompt = new Random(seed).ints(promptLength, 0, END_TOKEN).toArray();
    final var sampling =
        new SamplingParams(
            1f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), seed, maxTokens, 0, Set.of(), true, true, 1, "");
    return new GenerationCall(id, "simulated", prompt, sampling, choiceCount, stopStrings, "");
  }

  void awaitReady() throws Exception {
    node.ready().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  /** All events of a call whose reader is always ready. */
  List<GenerationEvent> events(GenerationCall call) {
    return start(call).orTimeout(20, TimeUnit.SECONDS).join();
  }

  CompletableFuture<List<GenerationEvent>> start(GenerationCall call) {
    return node.generations()
        .generate(call)
        .runWith(Sink.seq(), testKit.system())
        .toCompletableFuture();
  }

  /** Events as the reader asks for them. */
  SinkQueueWithCancel<GenerationEvent> read(GenerationCall call) {
    return node.generations()
        .generate(call)
        .runWith(
            Sink.<GenerationEvent>queue().withAttributes(Attributes.inputBuffer(1, 1)),
            testKit.system());
  }

  static GenerationEvent next(SinkQueueWithCancel<GenerationEvent> reader) {
    return reader.pull().toCompletableFuture().orTimeout(15, TimeUnit.SECONDS).join().orElse(null);
  }

  static List<GenerationEvent> rest(SinkQueueWithCancel<GenerationEvent> reader) {
    final List<GenerationEvent> events = new ArrayList<>();
    for (GenerationEvent event = next(reader); event != null; event = next(reader)) {
      events.add(event);
    }
    return events;
  }

  private ActorSelection selection(String path) {
    return testKit.system().classicSystem().actorSelection("/system/stator-node-*/" + path);
  }

  /** An actor of the node by its path below it; it has to answer. */
  ActorRef actor(String path) {
    return selection(path).resolveOne(Duration.ofSeconds(10)).toCompletableFuture().join();
  }

  /** Puts the end of an actor into its mailbox. */
  void kill(String path) {
    selection(path).tell(Kill.getInstance(), ActorRef.noSender());
  }

  void awaitTerminated(ActorRef actor) {
    testKit.createTestProbe().expectTerminated(Adapter.toTyped(actor), Duration.ofSeconds(10));
  }

  Answer answer(GenerationCall call) {
    return Answer.of(events(call), 0);
  }

  void awaitTrue(String what, BooleanSupplier condition) {
    testKit
        .createTestProbe()
        .awaitAssert(
            Duration.ofSeconds(15),
            () -> {
              if (!condition.getAsBoolean()) throw new AssertionError(what + ": " + figures());
              return null;
            });
  }

  /** Nothing is held by anybody. */
  void awaitEmpty() {
    awaitTrue(
        "not empty",
        () ->
            node.stats().sessions().active() == 0
                && node.stats().router().inFlight() == 0
                && node.stats().transfer().openGrants() == 0
                && node.stats().transfer().blocksInFlight() == 0
                && node.stats().workers().stream()
                    .allMatch(worker ->
                        worker.load().usedBlocks() == 0
                            && worker.load().runningSequences() == 0
                            && worker.load().waitingSequences() == 0));
  }

  String figures() {
    return node.stats().workers()
        + "\n"
        + node.stats().router()
        + "\n"
        + node.stats().sessions()
        + "\n"
        + node.stats().transfer();
  }

  /** What an engine alone makes of the call's first choice. */
  static Answer alone(GenerationCall call) {
    try (SimulatedDevice device = new SimulatedDevice(BLOCKS, BLOCK_SIZE, VOCABULARY, CONTEXT)) {
      final LocalEngine engine = engineOn(device);
      engine.submit(
          new GenerationRequest(
              new RequestId("alone"),
              call.promptTokens(),
              call.promptTokens().length,
              call.sampling(),
              call.cacheSalt()));
      final List<SampledToken> tokens = new ArrayList<>();
      while (engine.hasWork()) {
        for (StepReport.Progress progress : engine.step().progress()) {
          tokens.addAll(progress.tokens());
        }
      }
      final String text =
          TOKENIZER.decode(tokens.stream().mapToInt(SampledToken::tokenId).toArray(), true);
      return new Answer(text, tokens.size(), tokens.stream().map(SampledToken::logprob).toList());
    }
  }

  /** An answer's bytes. */
  record Answer(String text, int tokenCount, List<Float> logprobs) {
    static Answer of(List<GenerationEvent> events, int choiceIndex) {
      final StringBuilder text = new StringBuilder();
      final List<Float> logprobs = new ArrayList<>();
      int tokenCount = 0;
      for (GenerationEvent event : events) {
        if (event instanceof GenerationEvent.Failed failed) {
          throw new AssertionError(failed.toString());
        }
        if (!(event instanceof GenerationEvent.Delta delta)) continue;
        if (delta.choiceIndex() != choiceIndex) continue;
        text.append(delta.text());
        tokenCount += delta.tokenCount();
        delta.logprobs().forEach(logprob -> logprobs.add(logprob.logprob()));
      }
      return new Answer(text.toString(), tokenCount, logprobs);
    }
  }

  @Override
  public void close() {
    testKit.shutdownTestKit();
    backend.close();
  }
}
