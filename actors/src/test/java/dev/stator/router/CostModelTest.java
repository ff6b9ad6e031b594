package dev.stator.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.protocol.Placement.Candidate;
import dev.stator.protocol.WorkRates;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.router.CostModel.Decision;
import dev.stator.router.CostModel.Field;
import dev.stator.router.CostModel.Option;
import dev.stator.router.LoadBook.Load;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CostModelTest {
  private static final RouterSettings SETTINGS =
      RouterSettings.from(
          ConfigFactory.parseString(
                  """
                  remote-prefill-min-tokens = 100
                  remote-prefill-min-share = 0.5
                  prefill-queue-tokens-max = 1000
                  expected-answer-tokens = 32
                  """)
              .withFallback(ConfigFactory.load().getConfig("stator.router")));
  private final CostModel costs = new CostModel(SETTINGS, new Random(1));

  /** Blocks of 16; the worked example of Dynamo's router design: costs 18, 10 and 11. */
  @Test
  void shouldChooseAsInTheWorkedExample() {
    final List<Option> options =
        List.of(option("w1", 2, 0, 0), option("w2", 5, 0, 0), option("w3", 8, 0, 12));
    final Decision decision = choose(options, 160);
    assertEquals("w2", decision.decode().id().slot());
    assertEquals(
        List.of("w2 15.0", "w1 18.0", "w3 24.0"),
        decision.candidates().stream().map(CostModelTest::shown).toList());
  }

  @Test
  void shouldWeighOwedPromptsAgainstCachedBlocks() {
    final Option busyWithPrefix = option("busy", 10, 16 * 30, 0);
    final Option idle = option("idle", 0, 0, 0);
    assertEquals("idle", choose(List.of(busyWithPrefix, idle), 320).decode().id().slot());
    final Option lessBusy = option("busy", 10, 16 * 9, 0);
    assertEquals("busy", choose(List.of(lessBusy, idle), 320).decode().id().slot());
  }

  @Test
  void shouldPreferFewerRequestsThenSpreadEvenlyWhenCostsAreEqual() {
    final Option a = unmeasured(worker("a", "f"), 0, new Load(1, 0, 0));
    final Option b = unmeasured(worker("b", "f"), 0, Load.NONE);
    assertEquals("b", choose(List.of(a, b), 32).decode().id().slot());
    final Map<String, Integer> chosen = new HashMap<>();
    for (int i = 0; i < 3000; i++) {
      final var options = List.of(option("a", 0, 0, 0), option("b", 0, 0, 0), option("c", 0, 0, 0));
      chosen.merge(choose(options, 32).decode().id().slot(), 1, Integer::sum);
    }
    chosen.values().forEach(count -> assertTrue(count > 850 && count < 1150, chosen.toString()));
  }

  @Test
  void shouldExpectBlocksOfPromptAndSomeAnswer() {
    assertEquals(2, costs.expectedBlocks(worker("a", "f"), 17, 10));
    assertEquals(4, costs.expectedBlocks(worker("a", "f"), 17, 1_000_000));
  }

  /** 160 tokens are 10 blocks: 20 ms at 500 blocks a second. */
  @Test
  void shouldNotSendWhatIsComputedSooner() {
    final long blockBytes = worker("p", "f").blockBytes();
    final WorkRates computes = new WorkRates(8_000, Double.NaN); // 20 ms.
    final WorkRates asQuick = new WorkRates(Double.NaN, 500 * blockBytes);
    final WorkRates slower = new WorkRates(Double.NaN, 400 * blockBytes);
    assertRemote(decide(computes, asQuick));
    assertLocal("sending takes 0.025 s, computing 0.020 s", decide(computes, slower));
    assertRemote(decide(WorkRates.UNKNOWN, slower));
    assertRemote(decide(computes, WorkRates.UNKNOWN));
    final WorkRates slowerAndKnown = new WorkRates(8_000, 400 * blockBytes);
    assertLocal(
        "sending takes 0.025 s, computing 0.020 s", decide(WorkRates.UNKNOWN, slowerAndKnown));
  }

  private Decision decide(WorkRates decode, WorkRates prefill) {
    final Option decoder = new Option(worker("d", "f"), 0, Load.NONE, decode);
    final Option prefiller = new Option(worker("p", "f"), 0, Load.NONE, prefill);
    return costs.decide(new Field(List.of(decoder), List.of(prefiller), List.of()), 160, 10);
  }

  @Test
  void shouldGiveItsReasonsAlikeWhateverTheMachinesLanguage() {
    final Locale before = Locale.getDefault();
    Locale.setDefault(Locale.GERMANY);
    try {
      assertLocal("share 0.47 is small", decide(10, List.of(option("p", 0, 0, 0)), 300));
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void shouldPrefillElsewhereOnlyWhenTheUncachedPartIsLong() {
    final List<Option> prefillers = List.of(option("p", 0, 0, 0));
    assertRemote(decide(0, prefillers, 200));
    assertLocal("99 uncached tokens are few", decide(0, prefillers, 99));
    assertRemote(decide(0, prefillers, 100));
    assertLocal("share 0.47 is small", decide(10, prefillers, 300));
    assertLocal("no prefill worker", decide(0, List.of(), 200));
    assertLocal("owe 1000 tokens", decide(0, List.of(option("p", 0, 1000, 0)), 200));
  }

  @Test
  void shouldChooseThePrefillWorkerThatIsDoneFirst() {
    final List<Option> prefillers =
        List.of(option("p1", 0, 100, 0), option("p2", 8, 200, 0), option("p3", 0, 300, 0));
    assertEquals("p2", decide(0, prefillers, 400).prefill().id().slot());
  }

  @Test
  void shouldNotPrefillAtWorkersOfOtherNumericsOrTooSmallOnes() {
    final Option otherNumerics = unmeasured(worker("p", "other"), 0, Load.NONE);
    assertLocal("no prefill worker", decide(0, List.of(otherNumerics), 200));
    final var small = new WorkerDescription(new WorkerId("p", 0), "f", 16, 64, 5, 1 << 20);
    assertLocal("no prefill worker", decide(0, List.of(unmeasured(small, 0, Load.NONE)), 200));
    assertLocal("no prefill worker", decide(0, List.of(option("d", 0, 0, 0)), 200));
  }

  @Test
  void shouldPullWhatAnotherHasCachedWhenItsWayCostsLessThanComputing() {
    final Decision decision = withSource(option("d", 2, 0, 0), option("s", 9, 0, 0), 161);
    assertTrue(decision.pull());
    assertEquals("s", decision.prefillers().getFirst().id().slot());
    assertEquals(161 - 9 * 16, decision.prefillTokens());
    assertEquals(7, decision.candidates().getFirst().pullBlocks());
    assertEquals("pull: 7 blocks from s; no prefill worker", decision.reason());
    assertEquals("d", decision.prefill().id().slot(), "what is missing it computes itself");
  }

  @Test
  void shouldPullNoMoreThanWhatIsBeforeTheLastToken() {
    final Decision decision = withSource(option("d", 0, 0, 0), option("s", 10, 0, 0), 160);
    assertEquals(9, decision.candidates().getFirst().pullBlocks());
    assertEquals(16, decision.prefillTokens());
  }

  @Test
  void shouldComputeWhenFewBlocksCouldBePulledOrTheirNumericsDiffer() {
    assertLocal("", withSource(option("d", 6, 0, 0), option("s", 9, 0, 0), 161));
    final Option other = unmeasured(worker("s", "other"), 9, Load.NONE);
    assertLocal("", withSource(option("d", 0, 0, 0), other, 161));
    assertLocal("", withSource(option("d", 9, 0, 0), option("d", 9, 0, 0), 161));
  }

  @Test
  void shouldChooseAWorkerThatPullsWhenTheOneThatHasTheBlocksIsBusy() {
    final Option busy = option("busy", 10, 16 * 20, 0);
    final Option idle = option("idle", 0, 0, 0);
    final var field = new Field(List.of(busy, idle), List.of(), List.of(busy, idle));
    final Decision decision = costs.decide(field, 176, 0);
    assertEquals("idle", decision.decode().id().slot());
    assertTrue(decision.pull(), decision.reason());
  }

  @Test
  void shouldRejectSettingsThatMakeNoSense() {
    for (String wrong :
        List.of(
            "remote-prefill-min-share = 1.1",
            "in-flight-max = 0",
            "prefill-weight = -1",
            "pending-timeout = 0s")) {
      final var config =
          ConfigFactory.parseString(wrong)
              .withFallback(ConfigFactory.load().getConfig("stator.router"));
      final var failure =
          assertThrows(IllegalArgumentException.class, () -> RouterSettings.from(config));
      assertTrue(failure.getMessage().contains(wrong.split(" ")[0]), failure.getMessage());
    }
  }

  private Decision decide(int overlapBlocks, List<Option> prefillers, int tokenCount) {
    final var field = new Field(List.of(option("d", overlapBlocks, 0, 0)), prefillers, List.of());
    return costs.decide(field, tokenCount, 0);
  }

  private Decision choose(List<Option> decoders, int tokenCount) {
    return costs.decide(new Field(decoders, List.of(), List.of()), tokenCount, 0);
  }

  private Decision withSource(Option decoder, Option source, int tokenCount) {
    return costs.decide(
        new Field(List.of(decoder), List.of(), List.of(decoder, source)), tokenCount, 0);
  }

  private static void assertLocal(String words, Decision decision) {
    assertEquals(List.of(), decision.prefillers());
    assertTrue(
        decision.reason().startsWith("local: ") && decision.reason().contains(words),
        decision.reason());
  }

  private static void assertRemote(Decision decision) {
    assertEquals("p", decision.prefill().id().slot());
    assertTrue(decision.reason().startsWith("remote: "), decision.reason());
  }

  private static Option option(String slot, int overlapBlocks, long prefillTokens, long blocks) {
    return unmeasured(worker(slot, "f"), overlapBlocks, new Load(0, prefillTokens, blocks));
  }

  private static Option unmeasured(WorkerDescription worker, int overlapBlocks, Load load) {
    return new Option(worker, overlapBlocks, load, WorkRates.UNKNOWN);
  }

  private static WorkerDescription worker(String slot, String fingerprint) {
    return new WorkerDescription(new WorkerId(slot, 0), fingerprint, 16, 64, 1000, 1 << 20);
  }

  private static String shown(Candidate candidate) {
    return candidate.worker().slot() + " " + candidate.cost();
  }
}
