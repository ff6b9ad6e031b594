package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.engine.Admission;
import dev.stator.engine.RequestId;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.Placement.PrefillPlan;
import dev.stator.protocol.Placement.Prefiller;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerAnswer.TokenBatch;
import dev.stator.protocol.WorkerId;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/** The decode role when messages are lost, and prefill workers are silent, slow or gone. */
class DecodeRecoveryTest extends DecodeFixture {
  private static final Duration INTERVAL = SETTINGS.reconcileInterval();

  private final TestProbe<PrefillCommand> second = testKit.createTestProbe();
  private final TestProbe<PrefillCommand> third = testKit.createTestProbe();
  private final List<Prefiller> others =
      List.of(
          new Prefiller(new WorkerId("p2", 0), second.ref()),
          new Prefiller(new WorkerId("p3", 0), third.ref()));

  @Test
  void shouldTellEachNodeWhatRunsForIt() {
    final TestProbe<WorkerAnswer> otherNode = testKit.createTestProbe();
    final ActorRef<EngineActor.Event> owner = admit("a/0", 0, node.ref());
    admit("b/0", 2, node.ref());
    admit("c/0", 0, otherNode.ref());
    owner.tell(new EngineActor.Stepped(List.of(progress("a/0@0", 5)), List.of()));
    node.expectMessageClass(TokenBatch.class);
    time.timePasses(INTERVAL);
    node.expectMessage(running(runs("a/0", 0, 1), runs("b/0", 2, 0)));
    otherNode.expectMessage(running(runs("c/0", 0, 0)));
    worker.tell(new DecodeCommand.Cancel(new RequestId("b/0"), 2));
    engine.expectMessageClass(EngineActor.Cancel.class);
    time.timePasses(INTERVAL);
    node.expectMessage(running(runs("a/0", 0, 1)));
  }

  @Test
  void shouldOrderAgainUntilThePrefillWorkerSpeaks() {
    final PrefillCommand.Prefill order = startFilling();
    time.timePasses(INTERVAL);
    prefill.expectNoMessage(SOON);
    time.timePasses(INTERVAL);
    prefill.expectMessage(order);
    worker.tell(new DecodeCommand.Prefilling(List.of(order.order()), prefill.ref()));
    for (int i = 0; i < 2 * SETTINGS.silentIntervalsMax(); i++) {
      engine.expectNoMessage(SOON);
      time.timePasses(INTERVAL);
      worker.tell(new DecodeCommand.Prefilling(List.of(order.order()), prefill.ref()));
    }
    prefill.expectNoMessage(SOON);
  }

  @Test
  void shouldGoOnWithoutAPrefillWorkerThatIsSilent() {
    final PrefillCommand.Prefill order = startFilling();
    write(order.grant(), 3);
    worker.tell(new DecodeCommand.Prefilling(List.of(order.order()), prefill.ref()));
    for (int i = 0; i < SETTINGS.silentIntervalsMax(); i++) {
      engine.expectNoMessage(SOON);
      time.timePasses(INTERVAL);
    }
    engine.expectNoMessage(SOON);
    time.timePasses(INTERVAL);
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 1));
    prefill.expectMessage(new PrefillCommand.CancelPrefill(order.order()));
  }

  @Test
  void shouldCancelPrefillsOfWhichNobodyWaits() {
    final PrefillCommand.Prefill order = startFilling();
    final var unknown = new PrefillCommand.Order(new RequestId("x/0"), 0, 7);
    final var older = new PrefillCommand.Order(ID, 0, order.grant().id() + 1);
    worker.tell(new DecodeCommand.Prefilling(List.of(unknown, order.order(), older), second.ref()));
    second.expectMessage(new PrefillCommand.CancelPrefill(unknown));
    second.expectMessage(new PrefillCommand.CancelPrefill(older));
    second.expectNoMessage(SOON);
  }

  @Test
  void shouldLetAnotherTakeOverWhatIsMissing() {
    final PrefillCommand.Prefill first = startFilling(plan(others));
    write(first.grant(), 3);
    prefill.stop();
    final var order = second.expectMessageClass(PrefillCommand.Prefill.class);
    assertEquals(List.of(5), order.grant().blocks());
    assertEquals(2, order.firstBlockIndex());
    order.replyTo().tell(ended(first)); // Late, of the first one.
    write(first.grant(), 5); // Not its to write any more.
    engine.expectNoMessage(SOON);
    write(order.grant(), 5);
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 2));
    assertEquals(0, board.workers().getFirst().remotePrefillFallbacks());
    assertEquals(32, board.workers().getFirst().transferReceivedBytes());
  }

  @Test
  void shouldComputeItselfWhenAsManyHaveTriedAsMay() {
    startFilling(plan(others));
    expire();
    final var order = second.expectMessageClass(PrefillCommand.Prefill.class);
    assertEquals(List.of(3, 5), order.grant().blocks());
    order.replyTo().tell(ended(order));
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 0));
    third.expectNoMessage(SOON);
    assertEquals(1, board.workers().getFirst().remotePrefills());
    assertEquals(1, board.workers().getFirst().remotePrefillFallbacks());
  }

  @Test
  void shouldFreeTheBlocksWhenCancelledWhileAnotherHasTakenOver() {
    final PrefillCommand.Prefill first = startFilling(plan(others));
    first.replyTo().tell(ended(first));
    final var order = second.expectMessageClass(PrefillCommand.Prefill.class);
    worker.tell(new DecodeCommand.Cancel(ID, 0));
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    second.expectMessage(new PrefillCommand.CancelPrefill(order.order()));
    assertEquals(0, agent.stats().openGrants());
    assertIdle();
  }

  @Test
  void shouldOrderOnlyCachedBlocksForAPull() {
    final var plan = new PrefillPlan(others.getFirst(), true, List.of());
    worker.tell(generate(0, plan));
    final var take = (EngineActor.Take) engine.receiveMessage();
    take.owner()
        .tell(new EngineActor.Answered(ENGINE_ID, new Admission.Admitted(4, List.of(3, 5))));
    final var order = second.expectMessageClass(PrefillCommand.Prefill.class);
    assertTrue(order.cachedOnly());
    write(order.grant(), 3);
    order.replyTo().tell(ended(order));
    engine.expectMessage(new EngineActor.Resume(ENGINE_ID, 1));
  }

  private void expire() {
    nowNs.addAndGet(SETTINGS.remotePrefillTimeout().toNanos());
    agent.poll();
  }

  private static DecodeCommand.PrefillEnded ended(PrefillCommand.Prefill order) {
    return new DecodeCommand.PrefillEnded(ID, 0, order.grant().id(), "ended");
  }

  private WorkerAnswer.Running running(WorkerAnswer.RunningSequence... sequences) {
    return new WorkerAnswer.Running(WORKER.id(), worker, List.of(sequences));
  }

  private static WorkerAnswer.RunningSequence runs(String id, int attempt, int sentTokens) {
    return new WorkerAnswer.RunningSequence(new RequestId(id), attempt, sentTokens);
  }
}
