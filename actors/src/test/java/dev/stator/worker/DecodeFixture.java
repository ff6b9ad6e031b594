package dev.stator.worker;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.Admission;
import dev.stator.engine.FinishReason;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.engine.SampledToken;
import dev.stator.engine.SamplingParams;
import dev.stator.engine.StepReport;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.Placement.PrefillPlan;
import dev.stator.protocol.Placement.Prefiller;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerAnswer.SequenceTokens;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.transport.BlockMove;
import dev.stator.transport.Grant;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;

/** The decode role between a session node, an engine and prefill workers, all played by probes. */
@ExtendWith(LogCapturingExtension.class)
abstract class DecodeFixture {
  static final WorkerDescription WORKER =
      new WorkerDescription(new WorkerId("d", 0), "f", 4, 16, 8, 100);
  static final WorkerSettings SETTINGS =
      WorkerSettings.from(
          ConfigFactory.parseString("take-over-blocks = 1, take-overs-max = 1")
              .withFallback(ConfigFactory.load().getConfig("stator.worker")));
  static final RequestId ID = new RequestId("r/0");
  static final RequestId ENGINE_ID = new RequestId("r/0@0");
  static final Duration SOON = Duration.ofMillis(20);

  final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  final ManualTime time = ManualTime.get(testKit.system());
  final TestProbe<EngineActor.Command> engine = testKit.createTestProbe();
  final TestProbe<PrefillCommand> prefill = testKit.createTestProbe();
  final TestProbe<WorkerAnswer> node = testKit.createTestProbe();
  final TestProbe<Worker.RoleIdle> idle = testKit.createTestProbe();
  final Arena arena = Arena.ofShared();
  final AtomicLong nowNs = new AtomicLong();
  final TransferAgent agent =
      new TransferAgent(
          "agent",
          TransferSettings.from(ConfigFactory.load().getConfig("stator.transport")),
          new InProcessBackend(Runnable::run),
          nowNs::get,
          new Random(1));
  final int memoryId = agent.register(arena.allocate(8 * 16), 16);
  final StatsBoard board = new StatsBoard(() -> TransferFigures.NONE);
  final ActorRef<DecodeCommand> worker = spawn(true);

  ActorRef<DecodeCommand> spawn(boolean accepts) {
    final var surroundings =
        new RoleSurroundings(
            WORKER,
            engine.ref(),
            memoryId,
            agent,
            new WorkerGauge(WORKER.id(), Set.of(), board, System::nanoTime, Duration.ofSeconds(30)),
            nowNs::get,
            SETTINGS);
    return testKit.spawn(DecodeWorker.create(surroundings, accepts));
  }

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
    agent.close();
    arena.close();
  }

  void assertIdle() {
    worker.<DecodeWorker.Command>unsafeUpcast().tell(new DecodeWorker.Accept(false, idle.ref()));
    idle.expectMessage(Worker.RoleIdle.DECODE);
  }

  ActorRef<EngineActor.Event> admit(String id, int attempt, ActorRef<WorkerAnswer> replyTo) {
    worker.tell(new DecodeCommand.Generate(attempt, request(id, 0), null, replyTo));
    final var take = (EngineActor.Take) engine.receiveMessage();
    take.owner().tell(new EngineActor.Answered(take.request().id(), admitted()));
    return take.owner();
  }

  /** One block cached, two to be filled. */
  PrefillCommand.Prefill startFilling() {
    return startFilling(plan());
  }

  PrefillCommand.Prefill startFilling(PrefillPlan plan) {
    worker.tell(generate(0, plan));
    final var take = (EngineActor.Take) engine.receiveMessage();
    take.owner()
        .tell(new EngineActor.Answered(ENGINE_ID, new Admission.Admitted(4, List.of(3, 5))));
    return (PrefillCommand.Prefill) prefill.receiveMessage();
  }

  void write(Grant grant, int... targets) {
    for (int target : targets) {
      agent.write(grant, memoryId, List.of(new BlockMove(0, target)), outcome -> {});
    }
  }

  PrefillPlan plan() {
    return plan(List.of());
  }

  PrefillPlan plan(List<Prefiller> others) {
    return new PrefillPlan(new Prefiller(new WorkerId("p", 0), prefill.ref()), false, others);
  }

  DecodeCommand.Generate generate(int attempt, PrefillPlan plan) {
    return new DecodeCommand.Generate(attempt, request("r/0", 0), plan, node.ref());
  }

  static Admission.Admitted admitted() {
    return new Admission.Admitted(0, List.of());
  }

  static GenerationRequest request(String id, int answerTokens) {
    return new GenerationRequest(
        new RequestId(id), new int[13 + answerTokens], 13, SamplingParams.greedy(10), "");
  }

  static StepReport.Progress progress(String engineId, int... tokens) {
    return progress(engineId, null, tokens);
  }

  static StepReport.Progress progress(String engineId, FinishReason finish, int... tokens) {
    return new StepReport.Progress(new RequestId(engineId), sampled(tokens), List.of(), finish, 0);
  }

  static SequenceTokens tokens(
      String id, int attempt, int firstIndex, FinishReason finish, int... tokens) {
    return new SequenceTokens(new RequestId(id), attempt, firstIndex, sampled(tokens), finish, 0);
  }

  static List<SampledToken> sampled(int... tokens) {
    return IntStream.of(tokens).mapToObj(token -> new SampledToken(token, 0, List.of())).toList();
  }
}
