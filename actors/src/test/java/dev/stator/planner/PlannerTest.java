package dev.stator.planner;

import static dev.stator.planner.Situations.DECODE;
import static dev.stator.planner.Situations.PREFILL;
import static dev.stator.planner.Situations.id;
import static dev.stator.planner.Situations.load;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.engine.EngineLoad;
import dev.stator.planner.PlannerDecision.Hold;
import dev.stator.planner.PlannerDecision.Move;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.WorkRates;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerCommand.RolesTaken;
import dev.stator.protocol.WorkerReport;
import java.time.Duration;
import java.util.List;
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
      ConfigFactory.parseString(
              "confirmations = 2, cooldown = 1, interval = 5s, moves-at-once-max = 1")
          .withFallback(ConfigFactory.load().getConfig("stator.planner"));
  private static final PlannerSettings SETTINGS = PlannerSettings.from(CONFIG);
  private static final EngineLoad IDLE = load(0, 0, 0);
  private static final EngineLoad QUEUED = load(0, 10_000, 0);

  private final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  private final ManualTime time = ManualTime.get(testKit.system());
  private final TestProbe<PlannerDecision> decisions = testKit.createTestProbe();
  private final TestProbe<WorkerCommand> worker = testKit.createTestProbe();

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
  }

  @Test
  void shouldMoveOneSlotAtATime() {
    final ActorRef<PlannerCommand> planner = spawn(SETTINGS);
    report(planner);
    interval();
    assertInstanceOf(Hold.class, decisions.receiveMessage());
    interval();
    assertInstanceOf(Move.class, decisions.receiveMessage());
    final WorkerCommand.TakeRoles takeRoles = takeRoles();
    assertEquals(PREFILL, takeRoles.roles());
    interval();
    assertInstanceOf(Hold.class, decisions.receiveMessage());
    takeRoles.replyTo().tell(new RolesTaken(id("d1"), PREFILL));
    interval();
    assertInstanceOf(Hold.class, decisions.receiveMessage());
    interval();
    assertInstanceOf(Move.class, decisions.receiveMessage());
  }

  @Test
  void shouldGoOnWhenTheMovingWorkerIsGone() {
    final ActorRef<PlannerCommand> planner = spawn(SETTINGS);
    report(planner);
    interval();
    decisions.receiveMessage();
    interval();
    assertEquals("d1", ((Move) decisions.receiveMessage()).worker().slot());
    takeRoles();
    worker.stop();
    decisions.awaitAssert(() -> {
      interval();
      final PlannerDecision decision = decisions.receiveMessage(Duration.ofMillis(100));
      assertEquals("d2", assertInstanceOf(Move.class, decision).worker().slot());
      return null;
    });
  }

  @Test
  void shouldAskAnUnknownWorkerWhoItIs() {
    report(spawn(SETTINGS));
    worker.expectMessageClass(WorkerCommand.Introduce.class);
  }

  @Test
  void shouldOnlySayWhatItWouldDoWhenDry() {
    final ActorRef<PlannerCommand> planner =
        spawn(PlannerSettings.from(ConfigFactory.parseString("dry-run = on").withFallback(CONFIG)));
    report(planner);
    worker.expectMessageClass(WorkerCommand.Introduce.class);
    interval();
    decisions.receiveMessage();
    interval();
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
  void shouldRejectSettingsThatContradictThemselves() {
    for (String wrong :
        List.of(
            "prefill-queue-tokens-low = 9000",
            "decode-occupancy-low = 0.95",
            "decode-min = 0",
            "report-interval = 6s",
            "forecast-alpha = 0",
            "forecast-trend-damping = 1.1",
            "gain-urgent = 0.01",
            "moves-budget = 0",
            "itl-target = 0s")) {
      assertThrows(
          IllegalArgumentException.class,
          () -> PlannerSettings.from(ConfigFactory.parseString(wrong).withFallback(CONFIG)),
          wrong);
    }
  }

  private ActorRef<PlannerCommand> spawn(PlannerSettings settings) {
    return testKit.spawn(Planner.create(settings, decisions.ref()::tell));
  }

  private WorkerCommand.TakeRoles takeRoles() {
    worker.expectMessageClass(WorkerCommand.Introduce.class);
    return worker.expectMessageClass(WorkerCommand.TakeRoles.class);
  }

  private void report(ActorRef<PlannerCommand> planner) {
    final TestProbe<WorkerCommand> other = testKit.createTestProbe();
    planner.tell(new WorkerReport(id("d1"), DECODE, IDLE, WorkRates.UNKNOWN, worker.ref()));
    planner.tell(
        new WorkerReport(id("d2"), DECODE, load(0, 0, 900), WorkRates.UNKNOWN, other.ref()));
    planner.tell(
        new WorkerReport(id("d3"), DECODE, load(0, 0, 900), WorkRates.UNKNOWN, other.ref()));
    planner.tell(new WorkerReport(id("p"), PREFILL, QUEUED, WorkRates.UNKNOWN, other.ref()));
  }

  private void interval() {
    time.timePasses(SETTINGS.interval());
  }
}
