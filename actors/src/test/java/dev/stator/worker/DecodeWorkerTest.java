package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import dev.stator.protocol.WorkerAnswer.TokenBatch;
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
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The decode role between a session node, an engine and a prefill worker, all played by probes. */
@ExtendWith(LogCapturingExtension.class)
class DecodeWorkerTest {
  private static final WorkerDescription WORKER =
      new WorkerDescription(new WorkerId("d", 0), "f", 4, 16, 8, 100);
  private static final WorkerSettings SETTINGS =
      WorkerSettings.from(ConfigFactory.load().getConfig("stator.worker"));
  private static final RequestId ID = new RequestId("r/0");
  private static final RequestId ENGINE_ID = new RequestId("r/0@0");
  private static final Duration SOON = Duration.ofMillis(20);

  private final ActorTestKit testKit = ActorTestKit.create();
  private final TestProbe<EngineActor.Command> engine = testKit.createTestProbe();
  private final TestProbe<PrefillCommand> prefill = testKit.createTestProbe();
  private final TestProbe<WorkerAnswer> node = testKit.createTestProbe();
  private final TestProbe<Worker.RoleIdle> idle = testKit.createTestProbe();
  private final Arena arena = Arena.ofShared();
  private final AtomicLong nowNs = new AtomicLong();
  private final TransferAgent agent =
      new TransferAgent(
          "agent",
          TransferSettings.from(ConfigFactory.load().getConfig("stator.transport")),
          new InProcessBackend(Runnable::run),
          nowNs::get,
          new Random(1));
  private final int memoryId = agent.register(arena.allocate(8 * 16), 16);
  private final StatsBoard board = new StatsBoard(() -> TransferFigures.NONE);
  private final ActorRef<DecodeCommand> worker = spawn(true);

  private ActorRef<DecodeCommand> spawn(boolean accepts) {
    final var surroundings =
        new RoleSurroundings(
            WORKER,
            engine.ref(),
            memoryId,
            agent,
            new WorkerGauge(WORKER.id(), Set.of(), board),
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

  @Test
  void shouldSendOneBatchAStepToEachNode() {
    final TestProbe<WorkerAnswer> otherNode = testKit.createTestProbe();
    final ActorRef<EngineActor.Event> owner = admit("a/0", 0, node.ref());
    admit("b/0", 0, node.ref());
    admit("c/0", 0, otherNode.ref());
    owner.tell(
        new EngineActor.Stepped(
            List.of(progress("a/0@0", 5), progress("b/0@0", 6), progress("c/0@0", 7)), List.of()));
    assertEquals(
        new TokenBatch(
            WORKER.id(), List.of(tokens("a/0", 0, 0, null, 5), tokens("b/0", 0, 0, null, 6))),
        node.receiveMessage());
    assertEquals(
        new TokenBatch(WORKER.id(), List.of(tokens("c/0", 0, 0, null, 7))),
        otherNode.receiveMessage());
    owner.tell(new EngineActor.Stepped(List.of(progress("a/0@0", 8)), List.of()));
    assertEquals(
        new TokenBatch(WORKER.id(), List.of(tokens("a/0", 0, 1, null, 8))), node.receiveMessage());
  }

  @Test
  void shouldCountTokensFromThoseThatCameWithTheRequest() {
    worker.tell(new DecodeCommand.Generate(3, request("r/0", 2), null, node.ref()));
    final var take = (EngineActor.Take) engine.receiveMessage();
    assertEquals(new RequestId("r/0@3"), take.request().id());
    take.owner().tell(new EngineActor.Answered(take.request().id(), admitted()));
    take.owner()
        .tell(new EngineActor.Stepped(List.of(progress("r/0@3", FinishReason.STOP, 9)), List.of()));
    assertEquals(
        new TokenBatch(WORKER.id(), List.of(tokens("r/0", 3, 2, FinishReason.STOP, 9))),
        node.receiveMessage());
    assertIdle();
  }

  @Test
  void shouldPassOnARefusal() {
    worker.tell(generate(0, null));
    final var take = (EngineActor.Take) engine.receiveMessage();
    assertEquals(EngineActor.Kind.GENERATE, take.kind());
    take.owner()
        .tell(
            new EngineActor.Answered(
                ENGINE_ID, new Admission.Refused("engine.waiting-max", 9, 8, true)));
    node.expectMessage(
        new WorkerAnswer.Refused(ID, 0, WORKER.id(), "engine.waiting-max", 9, 8, true));
    assertIdle();
  }

  @Test
  void shouldRefuseWhenItIsNoDecodeWorker() {
    spawn(false).tell(generate(0, null));
    final var refusal = (WorkerAnswer.Refused) node.receiveMessage();
    assertEquals("worker.roles", refusal.limit());
    assertTrue(refusal.passing());
    engine.expectNoMessage(SOON);
  }

  @Test
  void shouldCancelBeforeAndAfterTheEngineHasAnswered() {
    worker.tell(generate(0, null));
    final var take = (EngineActor.Take) engine.receiveMessage();
    worker.tell(new DecodeCommand.Cancel(ID, 0));
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    take.owner().tell(new EngineActor.Answered(ENGINE_ID, admitted()));
    take.owner().tell(new EngineActor.Stepped(List.of(progress("r/0@0", 1)), List.of()));
    node.expectNoMessage(SOON);
    worker.tell(new DecodeCommand.Cancel(ID, 0));
    engine.expectNoMessage(SOON);
    assertIdle();
  }

  @Test
  void shouldReplaceALowerAttemptAndIgnoreARepeat() {
    admit("r/0", 1, node.ref());
    worker.tell(generate(0, null));
    worker.tell(generate(1, null));
    engine.expectNoMessage(SOON);
    worker.tell(generate(2, null));
    engine.expectMessage(new EngineActor.Cancel(new RequestId("r/0@1")));
    assertEquals(
        new RequestId("r/0@2"), ((EngineActor.Take) engine.receiveMessage()).request().id());
    worker.tell(new DecodeCommand.Cancel(ID, 1));
    engine.expectNoMessage(SOON);
  }

  @Test
  void shouldCancelWhatItRunsForANodeThatIsGone() {
    admit("r/0", 0, node.ref());
    node.stop();
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    assertIdle();
  }

  @Test
  void shouldSayLostWhenTheEngineFailsTheSequence() {
    final ActorRef<EngineActor.Event> owner = admit("r/0", 0, node.ref());
    admit("s/0", 0, node.ref());
    owner.tell(
        new EngineActor.Stepped(
            List.of(), List.of(new StepReport.Failure(ENGINE_ID, "no finite logit"))));
    node.expectMessage(new WorkerAnswer.Lost(ID, 0, WORKER.id(), "no finite logit", false));
    owner.tell(new EngineActor.Broken(List.of(new RequestId("s/0@0")), "device"));
    node.expectMessage(new WorkerAnswer.Lost(new RequestId("s/0"), 0, WORKER.id(), "device", true));
    assertIdle();
  }

  @Test
  void shouldResumeWithAllBlocksWhenTheyHaveArrived() {
    final PrefillCommand.Prefill order = startFilling();
    assertEquals(List.of(3, 5), order.grant().blocks());
    assertEquals(1, order.firstBlockIndex());
    assertEquals(ID, order.request().id());
    write(order.grant(), 3, 5);
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 2));
    order.replyTo().tell(new DecodeCommand.PrefillEnded(ID, 0, 0, "all blocks are written"));
    engine.expectNoMessage(SOON);
    assertEquals(32, board.workers().getFirst().transferReceivedBytes());
    assertEquals(0, board.workers().getFirst().remotePrefillFallbacks());
  }

  @Test
  void shouldResumeWithWhatHasArrivedWhenThePrefillEnds() {
    final PrefillCommand.Prefill order = startFilling();
    write(order.grant(), 3);
    order.replyTo().tell(new DecodeCommand.PrefillEnded(ID, 0, 0, "no room"));
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 1));
    prefill.expectMessage(new PrefillCommand.CancelPrefill(new PrefillCommand.Order(ID, 0, 0)));
    assertEquals(1, board.workers().getFirst().remotePrefillFallbacks());
  }

  @Test
  void shouldResumeWithNothingBehindAHole() {
    final PrefillCommand.Prefill order = startFilling();
    write(order.grant(), 5);
    order.replyTo().tell(new DecodeCommand.PrefillEnded(ID, 0, 0, "no room"));
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 0));
  }

  @Test
  void shouldResumeWhenThePrefillWorkerIsGone() {
    final PrefillCommand.Prefill order = startFilling();
    write(order.grant(), 3);
    prefill.stop();
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 1));
  }

  @Test
  void shouldResumeWhenTheGrantExpires() {
    startFilling();
    nowNs.addAndGet(SETTINGS.remotePrefillTimeout().toNanos());
    agent.poll();
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 0));
    prefill.expectMessage(new PrefillCommand.CancelPrefill(new PrefillCommand.Order(ID, 0, 0)));
  }

  @Test
  void shouldFreeTheBlocksWhenCancelledWhileTheyAreFilled() {
    final PrefillCommand.Prefill order = startFilling();
    worker.tell(new DecodeCommand.Cancel(ID, 0));
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    prefill.expectMessage(new PrefillCommand.CancelPrefill(new PrefillCommand.Order(ID, 0, 0)));
    assertEquals(0, agent.stats().openGrants());
    write(order.grant(), 3);
    assertEquals(0, agent.stats().receivedBytes());
    assertIdle();
  }

  @Test
  void shouldStartAtOnceWhenEveryBlockIsCached() {
    worker.tell(generate(0, plan()));
    final var take = (EngineActor.Take) engine.receiveMessage();
    take.owner().tell(new EngineActor.Answered(ENGINE_ID, new Admission.Admitted(8, List.of())));
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 0));
    prefill.expectNoMessage(SOON);
  }

  @Test
  void shouldQueueUpWhenThereIsNoRoomToReserve() {
    worker.tell(generate(0, plan()));
    final var take = (EngineActor.Take) engine.receiveMessage();
    assertEquals(EngineActor.Kind.RESERVE, take.kind());
    final var noRoom = new Admission.Refused("device.block-count", 9, 2, true);
    take.owner().tell(new EngineActor.Answered(ENGINE_ID, noRoom));
    assertEquals(EngineActor.Kind.GENERATE, ((EngineActor.Take) engine.receiveMessage()).kind());
    node.expectNoMessage(SOON);
  }

  @Test
  void shouldTellWhenTheLastSequenceOfALostRoleHasEnded() {
    final ActorRef<EngineActor.Event> owner = admit("r/0", 0, node.ref());
    worker.<DecodeWorker.Command>unsafeUpcast().tell(new DecodeWorker.Accept(false, idle.ref()));
    idle.expectNoMessage(SOON);
    worker.tell(new DecodeCommand.Generate(0, request("s/0", 0), null, node.ref()));
    assertEquals("worker.roles", ((WorkerAnswer.Refused) node.receiveMessage()).limit());
    owner.tell(
        new EngineActor.Stepped(List.of(progress("r/0@0", FinishReason.LENGTH, 1)), List.of()));
    idle.expectMessage(Worker.RoleIdle.DECODE);
  }

  private void assertIdle() {
    worker.<DecodeWorker.Command>unsafeUpcast().tell(new DecodeWorker.Accept(false, idle.ref()));
    idle.expectMessage(Worker.RoleIdle.DECODE);
  }

  private ActorRef<EngineActor.Event> admit(
      String id, int attempt, ActorRef<WorkerAnswer> replyTo) {
    worker.tell(new DecodeCommand.Generate(attempt, request(id, 0), null, replyTo));
    final var take = (EngineActor.Take) engine.receiveMessage();
    take.owner().tell(new EngineActor.Answered(take.request().id(), admitted()));
    return take.owner();
  }

  /** One block cached, two to be filled. */
  private PrefillCommand.Prefill startFilling() {
    worker.tell(generate(0, plan()));
    final var take = (EngineActor.Take) engine.receiveMessage();
    take.owner()
        .tell(new EngineActor.Answered(ENGINE_ID, new Admission.Admitted(4, List.of(3, 5))));
    return (PrefillCommand.Prefill) prefill.receiveMessage();
  }

  private void write(Grant grant, int... targets) {
    for (int target : targets) {
      agent.write(grant, memoryId, List.of(new BlockMove(0, target)), outcome -> {});
    }
  }

  private PrefillPlan plan() {
    return new PrefillPlan(new Prefiller(new WorkerId("p", 0), prefill.ref()), false, List.of());
  }

  private DecodeCommand.Generate generate(int attempt, PrefillPlan plan) {
    return new DecodeCommand.Generate(attempt, request("r/0", 0), plan, node.ref());
  }

  private static Admission.Admitted admitted() {
    return new Admission.Admitted(0, List.of());
  }

  private static GenerationRequest request(String id, int answerTokens) {
    return new GenerationRequest(
        new RequestId(id), new int[13 + answerTokens], 13, SamplingParams.greedy(10), "");
  }

  private static StepReport.Progress progress(String engineId, int... tokens) {
    return progress(engineId, null, tokens);
  }

  private static StepReport.Progress progress(String engineId, FinishReason finish, int... tokens) {
    return new StepReport.Progress(new RequestId(engineId), sampled(tokens), List.of(), finish, 0);
  }

  private static SequenceTokens tokens(
      String id, int attempt, int firstIndex, FinishReason finish, int... tokens) {
    return new SequenceTokens(new RequestId(id), attempt, firstIndex, sampled(tokens), finish, 0);
  }

  private static List<SampledToken> sampled(int... tokens) {
    return IntStream.of(tokens).mapToObj(token -> new SampledToken(token, 0, List.of())).toList();
  }
}
