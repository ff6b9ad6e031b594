package dev.stator.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.engine.EngineLoad;
import dev.stator.planner.PlannerDecision.Hold;
import dev.stator.planner.PlannerDecision.Move;
import dev.stator.planner.SizingModel.Observation;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerCommand.RolesTaken;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerRole;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LogCapturingExtension.class)
class PlannerTest {
  private static final Config CONFIG =
      ConfigFactory.parseString("confirmations = 2, cooldown = 1, interval = 5s")
          .withFallback(ConfigFactory.load().getConfig("stator.planner"));
  private static final PlannerSettings SETTINGS = PlannerSettings.from(CONFIG);
  private static final Set<WorkerRole> PREFILL = Set.of(WorkerRole.PREFILL);
  private static final Set<WorkerRole> DECODE = Set.of(WorkerRole.DECODE);
  private static final EngineLoad IDLE = load(0, 0);
  private static final EngineLoad QUEUED = load(10_000, 0);
  private static final EngineLoad FULL = load(0, 95);

  private final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  private final ManualTime time = ManualTime.get(testKit.system());
  private final TestProbe<PlannerDecision> decisions = testKit.createTestProbe();
  private final TestProbe<WorkerCommand> worker = testKit.createTestProbe();

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
  }

  @Test
  void shouldMoveADecodeSlotWhenPromptsQueueUp() {
    final var slots =
        List.of(
            slot("p", PREFILL, QUEUED), slot("d1", DECODE, load(0, 9)), slot("d2", DECODE, IDLE));
    final SizingModel model = new SizingModel(SETTINGS);
    assertInstanceOf(Hold.class, model.decide(slots));
    final Move move = (Move) model.decide(slots);
    assertEquals("d2", move.worker().slot());
    assertEquals(WorkerRole.DECODE, move.from());
    assertEquals(WorkerRole.PREFILL, move.to());
    assertTrue(move.reason().contains("owe 10000 tokens"), move.reason());
  }

  @Test
  void shouldMoveAPrefillSlotWhenDecodeIsFull() {
    final var slots =
        List.of(slot("p1", PREFILL, IDLE), slot("p2", PREFILL, IDLE), slot("d", DECODE, FULL));
    final SizingModel model = new SizingModel(SETTINGS);
    model.decide(slots);
    assertEquals("p1", ((Move) model.decide(slots)).worker().slot());
  }

  @Test
  void shouldHoldWhenBothAreShortOrTheOtherHasNoneToSpare() {
    assertHolds(slot("p", PREFILL, QUEUED), slot("d1", DECODE, FULL), slot("d2", DECODE, FULL));
    assertHolds(slot("p", PREFILL, QUEUED), slot("d", DECODE, IDLE));
    assertHolds(slot("p", PREFILL, IDLE), slot("d", DECODE, FULL));
    assertHolds(
        slot("p", PREFILL, QUEUED),
        slot("d1", DECODE, load(0, 60)),
        slot("d2", DECODE, load(0, 60)));
    assertHolds(slot("both", Set.of(WorkerRole.values()), QUEUED));
    assertHolds();
  }

  @Test
  void shouldStartCountingAnewWhenTheSignChanges() {
    final var prompts =
        List.of(
            slot("p1", PREFILL, QUEUED),
            slot("p2", PREFILL, QUEUED),
            slot("d1", DECODE, IDLE),
            slot("d2", DECODE, IDLE));
    final var answers =
        List.of(
            slot("p1", PREFILL, IDLE),
            slot("p2", PREFILL, IDLE),
            slot("d1", DECODE, FULL),
            slot("d2", DECODE, FULL));
    final SizingModel model = new SizingModel(SETTINGS);
    for (int i = 0; i < 5; i++) {
      assertInstanceOf(Hold.class, model.decide(prompts));
      assertInstanceOf(Hold.class, model.decide(answers));
    }
    assertInstanceOf(Move.class, model.decide(answers));
    assertInstanceOf(Hold.class, model.decide(answers), "cooling down");
    assertInstanceOf(Hold.class, model.decide(answers));
    assertInstanceOf(Move.class, model.decide(answers));
  }

  @Test
  void shouldMoveOneSlotAtATime() {
    final ActorRef<PlannerCommand> planner = spawn(SETTINGS);
    report(planner);
    interval();
    assertInstanceOf(Hold.class, decisions.receiveMessage());
    interval();
    assertInstanceOf(Move.class, decisions.receiveMessage());
    final var takeRoles = (WorkerCommand.TakeRoles) worker.receiveMessage();
    assertEquals(PREFILL, takeRoles.roles());
    interval();
    decisions.expectNoMessage(Duration.ofMillis(20));
    takeRoles.replyTo().tell(new RolesTaken(new WorkerId("d1", 0), PREFILL));
    interval();
    assertInstanceOf(Hold.class, decisions.receiveMessage());
  }

  @Test
  void shouldGoOnWhenTheMovingWorkerIsGone() {
    final ActorRef<PlannerCommand> planner = spawn(SETTINGS);
    report(planner);
    interval();
    interval();
    worker.expectMessageClass(WorkerCommand.TakeRoles.class);
    decisions.receiveMessage();
    decisions.receiveMessage();
    worker.stop();
    decisions.awaitAssert(() -> {
      interval();
      assertInstanceOf(Hold.class, decisions.receiveMessage(Duration.ofMillis(100)));
      return null;
    });
  }

  @Test
  void shouldOnlySayWhatItWouldDoWhenDry() {
    final ActorRef<PlannerCommand> planner =
        spawn(PlannerSettings.from(ConfigFactory.parseString("dry-run = on").withFallback(CONFIG)));
    report(planner);
    interval();
    interval();
    decisions.receiveMessage();
    assertInstanceOf(Move.class, decisions.receiveMessage());
    worker.expectNoMessage(Duration.ofMillis(20));
  }

  @Test
  void shouldDecideNothingWhenDisabled() {
    spawn(PlannerSettings.from(ConfigFactory.parseString("enabled = off").withFallback(CONFIG)));
    interval();
    decisions.expectNoMessage(Duration.ofMillis(20));
  }

  @Test
  void shouldRejectSettingsThatWouldMoveSlotsBackAndForth() {
    for (String wrong :
        List.of(
            "prefill-queue-tokens-low = 9000", "decode-occupancy-low = 0.95", "decode-min = 0")) {
      assertThrows(
          IllegalArgumentException.class,
          () -> PlannerSettings.from(ConfigFactory.parseString(wrong).withFallback(CONFIG)));
    }
  }

  private ActorRef<PlannerCommand> spawn(PlannerSettings settings) {
    return testKit.spawn(Planner.create(settings, decisions.ref()::tell));
  }

  private void report(ActorRef<PlannerCommand> planner) {
    final TestProbe<WorkerCommand> other = testKit.createTestProbe();
    planner.tell(new WorkerReport(new WorkerId("d1", 0), DECODE, IDLE, worker.ref()));
    planner.tell(new WorkerReport(new WorkerId("d2", 0), DECODE, load(0, 9), other.ref()));
    planner.tell(new WorkerReport(new WorkerId("p", 0), PREFILL, QUEUED, other.ref()));
  }

  private void interval() {
    time.timePasses(SETTINGS.interval());
  }

  private static void assertHolds(Observation... slots) {
    final SizingModel model = new SizingModel(SETTINGS);
    for (int i = 0; i < 4; i++) {
      assertInstanceOf(Hold.class, model.decide(new ArrayList<>(List.of(slots))));
    }
  }

  private static Observation slot(String name, Set<WorkerRole> roles, EngineLoad load) {
    return new Observation(new WorkerId(name, 0), roles, load);
  }

  private static EngineLoad load(long waitingTokens, int usedBlocks) {
    return new EngineLoad(0, 0, usedBlocks, 0, 100, waitingTokens, 0, 0, 0, 0, 0);
  }
}
