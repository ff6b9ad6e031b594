package dev.stator.planner;

import static dev.stator.planner.Situations.DECODE;
import static dev.stator.planner.Situations.PREFILL;
import static dev.stator.planner.Situations.id;
import static dev.stator.planner.Situations.load;
import static dev.stator.planner.Situations.measured;
import static dev.stator.planner.Situations.slot;
import static dev.stator.planner.Situations.unmeasured;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.planner.PlannerDecision.Hold;
import dev.stator.planner.PlannerDecision.Move;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SizingModelTest {
  private static final Config CONFIG =
      ConfigFactory.parseString(
              "confirmations = 2, cooldown = 3, interval = 5s, itl-target = 30ms, gain-min = 0.02")
          .withFallback(ConfigFactory.load().getConfig("stator.planner"));
  private static final Situation PROMPTS = measured(2, 6, 45, 4000, 50);
  private static final Situation ANSWERS = measured(6, 2, 35, 600, 600);

  @Test
  void shouldMoveDecodeSlotsWhenPromptsNeedMorePrefill() {
    final List<Move> moves = moves(model(""), PROMPTS, 2);
    assertTrue(moves.size() >= 2, "several at once: " + moves);
    assertTrue(moves.stream().allMatch(move -> move.to() == WorkerRole.PREFILL));
    final PlannerDecision.Figures figures = moves.getFirst().figures();
    assertTrue(figures.goodputThen().getAsDouble() > figures.goodputNow().getAsDouble());
    assertTrue(moves.getFirst().reason().contains("expect 45.0 sequences/s of 4000 prompt"));
  }

  @Test
  void shouldMovePrefillSlotsWhenAnswersNeedMoreDecode() {
    final List<Move> moves = moves(model(""), ANSWERS, 2);
    assertTrue(moves.size() >= 2, "several at once: " + moves);
    assertTrue(moves.stream().allMatch(move -> move.to() == WorkerRole.DECODE));
  }

  @Test
  void shouldHoldWhenEverySplitKeepsTheTargets() {
    final SizingModel model = model("");
    for (int i = 0; i < 5; i++) {
      assertInstanceOf(Hold.class, one(model, measured(4, 4, 1, 800, 100)));
      assertInstanceOf(Hold.class, one(model, measured(1, 7, 1, 800, 100)));
    }
  }

  @Test
  void shouldNotWaitForConfirmationWhenTheGainIsUrgent() {
    assertEquals(0, moves(model("gain-urgent = 9"), PROMPTS, 1).size());
    assertTrue(moves(model("gain-urgent = 0.2"), PROMPTS, 1).size() > 0);
  }

  @Test
  void shouldWantASecondOpinionWhenTheTargetsAreKeptAllTheSame() {
    final Situation calm = withLatencies(PROMPTS, 100_000, 10_000);
    final SizingModel model = model("gain-urgent = 0.2");
    assertInstanceOf(Hold.class, one(model, calm));
    assertTrue(moves(model, calm, 1).size() > 0);
    final SizingModel patient = model("gain-urgent = 9");
    for (int i = 0; i < 5; i++) assertInstanceOf(Hold.class, one(patient, calm));
  }

  @Test
  void shouldMoveNoMoreThanMinimumsMovesAtOnceAndBudgetLeave() {
    assertEquals(2, moves(model("moves-at-once-max = 2"), PROMPTS, 1).size());
    assertEquals(1, moves(model("moves-budget = 1"), PROMPTS, 2).size());
    assertEquals(0, moves(model("decode-min = 6"), PROMPTS, 4).size());
    final SizingModel model = model("moves-at-once-max = 2");
    final Set<WorkerId> underWay = Set.of(id("d0"), id("d1"));
    for (int i = 0; i < 4; i++) {
      assertInstanceOf(Hold.class, model.decide(PROMPTS, underWay).getFirst());
    }
  }

  @Test
  void shouldMoveAgainWhenTheBudgetsWindowHasPassed() {
    final SizingModel model = model("moves-budget = 1, moves-budget-window = 20s");
    assertEquals(1, moves(model, PROMPTS, 2).size());
    assertEquals(0, moves(model, PROMPTS, 3).size());
    assertEquals(1, moves(model, PROMPTS, 2).size());
  }

  @Test
  void shouldCoolDownBeforeMovingTheOtherWayButNotBeforeGoingOn() {
    final SizingModel model = model("moves-at-once-max = 1, confirmations = 1");
    assertEquals(1, moves(model, PROMPTS, 1).size());
    assertEquals(1, moves(model, PROMPTS, 1).size());
    for (int i = 0; i < 3; i++) {
      assertTrue(one(model, ANSWERS).reason().contains("cooling down"), "interval " + i);
    }
    assertEquals(1, moves(model, ANSWERS, 1).size());
  }

  @Test
  void shouldGiveDecodeEverySlotWhenItsSlotsOweMorePromptsThanTheyCanCompute() {
    final SizingModel model = model("moves-at-once-max = 8");
    final List<Move> moves = moves(model, drowning(200_000), 1);
    assertEquals(3, moves.size(), "all but prefill-min");
    assertTrue(moves.stream().allMatch(move -> move.to() == WorkerRole.DECODE));
    assertTrue(moves.getFirst().reason().contains("owe 200000 prompt tokens"));
  }

  @Test
  void shouldKeepDecodeSlotsUntilTargetsAreKeptWhenTheirBacklogIsGone() {
    final SizingModel model = model("");
    one(model, drowning(200_000));
    for (int i = 0; i < 5; i++) {
      final Hold hold = assertInstanceOf(Hold.class, one(model, PROMPTS));
      assertTrue(hold.reason().contains("had no room"), hold.reason());
    }
    one(model, withLatencies(PROMPTS, 100_000, 10_000));
    assertTrue(moves(model, PROMPTS, 2).size() > 0);
  }

  /** Full decode slots that owe prompts beside prefill slots without work. */
  private static Situation drowning(long owedTokens) {
    final List<Situation.Slot> slots = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      slots.add(slot("p" + i, Set.of(WorkerRole.PREFILL), load(0, 0, 0)));
      slots.add(slot("d" + i, Set.of(WorkerRole.DECODE), load(20, owedTokens, 9_500)));
    }
    return new Situation(
        slots, PROMPTS.traffic(), PROMPTS.stepTime(), 1, 16, micros(9_000_000), micros(90_000));
  }

  private static Situation withLatencies(Situation of, int ttftMicros, int itlMicros) {
    return new Situation(
        of.slots(), of.traffic(), of.stepTime(), 1, 16, micros(ttftMicros), micros(itlMicros));
  }

  @Test
  void shouldLetAPrefillSlotDecodeWhenNoOtherDoesAnyMore() {
    final SizingModel model = model("confirmations = 2, moves-budget = 1");
    assertEquals(1, moves(model, PROMPTS, 2).size(), "the budget is spent, in the other direction");
    final Situation dead = measured(3, 0, 1, 800, 100);
    assertInstanceOf(Hold.class, one(model, dead), "it may be back in a moment");
    final Move move = assertInstanceOf(Move.class, one(model, dead));
    assertEquals(WorkerRole.DECODE, move.to());
    assertTrue(move.reason().contains("1 decode slots"), move.reason());
  }

  @Test
  void shouldLetADecodeSlotPrefillWhenNoOtherDoesAnyMore() {
    final SizingModel model = model("");
    one(model, measured(1, 3, 1, 800, 100));
    final List<Move> moves = moves(model, measured(0, 3, 1, 800, 100), 2);
    assertEquals(1, moves.size());
    assertEquals(WorkerRole.PREFILL, moves.getFirst().to());
    for (int i = 0; i < 4; i++) {
      assertInstanceOf(
          Hold.class, one(model, measured(0, 1, 1, 800, 100)), "the last that decodes");
    }
  }

  @Test
  void shouldWaitForNodesThatHaveNotJoinedYet() {
    final SizingModel model = model("moves-budget-window = 60s");
    final Situation starting = unmeasured(slot("p1", PREFILL, load(0, 0, 0)));
    assertEquals(0, moves(model, starting, 11).size());
    assertEquals(1, moves(model, starting, 1).size());
  }

  @Test
  void shouldLeaveSlotsWithBothRolesAlone() {
    final var both = slot("both", Set.of(WorkerRole.values()), load(5, 90_000, 9_900));
    final SizingModel model = model("");
    for (int i = 0; i < 4; i++) assertInstanceOf(Hold.class, one(model, unmeasured(both)));
  }

  @Test
  void shouldFollowThresholdsAsLongAsNothingIsMeasured() {
    final var idle = load(0, 0, 0);
    final var queued = load(0, 10_000, 0);
    final var full = load(90, 0, 9_500);
    final Situation prompts =
        unmeasured(
            slot("p", PREFILL, queued),
            slot("d1", DECODE, load(1, 0, 900)),
            slot("d2", DECODE, idle));
    final List<Move> toPrefill = moves(model(""), prompts, 2);
    assertEquals(List.of("d2"), toPrefill.stream().map(move -> move.worker().slot()).toList());
    assertTrue(toPrefill.getFirst().reason().contains("owe 10000 tokens"));
    final Situation answers =
        unmeasured(slot("p1", PREFILL, idle), slot("p2", PREFILL, idle), slot("d", DECODE, full));
    assertEquals(
        List.of("p1"), moves(model(""), answers, 2).stream().map(m -> m.worker().slot()).toList());
    assertHolds(slot("p", PREFILL, queued), slot("d1", DECODE, full), slot("d2", DECODE, full));
    assertHolds(slot("p", PREFILL, queued), slot("d", DECODE, idle));
    assertHolds(slot("p", PREFILL, idle), slot("d", DECODE, full));
    assertHolds();
  }

  private static void assertHolds(Situation.Slot... slots) {
    final SizingModel model = model("");
    for (int i = 0; i < 4; i++) assertInstanceOf(Hold.class, one(model, unmeasured(slots)));
  }

  private static SizingModel model(String settings) {
    return new SizingModel(
        PlannerSettings.from(ConfigFactory.parseString(settings).withFallback(CONFIG)));
  }

  private static PlannerDecision one(SizingModel model, Situation situation) {
    return model.decide(situation, Set.of()).getFirst();
  }

  /** The moves of some intervals with the same situation. */
  private static List<Move> moves(SizingModel model, Situation situation, int intervals) {
    final List<Move> moves = new ArrayList<>();
    for (int i = 0; i < intervals; i++) {
      for (PlannerDecision decision : model.decide(situation, Set.of())) {
        if (decision instanceof Move move) moves.add(move);
      }
    }
    return moves;
  }

  private static LogCounts micros(long value) {
    final long[] buckets = new long[LogCounts.BUCKETS_MAX];
    buckets[LogCounts.bucket(value)] = 1000;
    return LogCounts.of(buckets);
  }
}
