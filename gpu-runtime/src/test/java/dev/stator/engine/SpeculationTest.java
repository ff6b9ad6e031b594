package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.device.simulated.EchoDevice;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import dev.stator.kv.PoolChecks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Drafts on devices of blocks of 4 tokens. An echo of a prompt is as it was drafted from its third
 * token on.
 */
class SpeculationTest {
  private static final int BLOCK = 4;
  private static final int VOCABULARY = 50;
  private static final int END = 49;
  private static final int[] PROMPT = IntStream.range(1, 21).toArray();
  private static final int[] OTHER = IntStream.range(21, 41).toArray();
  private static final SpeculationSettings ON =
      new SpeculationSettings(SpeculationSettings.Mode.PROMPT_LOOKUP, 8, 2, 4, 2);

  private final Requests with = new Requests();
  private final Map<String, List<SampledToken>> tokens = new HashMap<>();
  private final Map<String, FinishReason> finished = new HashMap<>();
  private final List<BlockHash> stored = new ArrayList<>();
  private RecordingDevice device;
  private LocalEngine engine;

  private void useEcho(SpeculationSettings speculation) {
    use(new EchoDevice(64, BLOCK, VOCABULARY, 60, END), speculation, 8);
  }

  private void use(Device inner, SpeculationSettings speculation, int runningMax) {
    device = new RecordingDevice(inner);
    final var settings = new EngineSettings(64, 64, runningMax, 8, 64, 1000, 64, 0, speculation);
    engine = new LocalEngine(device, settings, Set.of(END));
    tokens.clear();
    finished.clear();
    stored.clear();
  }

  private void submit(String id, int... prompt) {
    assertTrue(engine.submit(with.request(id, prompt)) instanceof Admission.Admitted);
  }

  private StepReport step(PoolChecks books) {
    final StepReport report = engine.step();
    for (StepReport.Progress progress : report.progress()) {
      final String id = progress.id().value();
      tokens.computeIfAbsent(id, i -> new ArrayList<>()).addAll(progress.tokens());
      if (progress.finish() != null) finished.put(id, progress.finish());
    }
    for (KvEvent event : report.events()) {
      if (event instanceof KvEvent.Stored(BlockHash parent, List<BlockHash> blocks)) {
        stored.addAll(blocks);
      }
    }
    books.replay(report.events());
    books.check(engine.pool(), engine.tables());
    return report;
  }

  private void runToTheEnd() {
    final PoolChecks books = new PoolChecks();
    while (engine.hasWork()) step(books);
    assertEquals(0, engine.pool().usedCount());
  }

  private void close() {
    device.close();
  }

  /** What one request comes to. */
  private record Answer(List<SampledToken> tokens, FinishReason finish, List<BlockHash> stored) {}

  private Answer answer(Device inner, SpeculationSettings speculation, int... prompt) {
    use(inner, speculation, 8);
    submit("a", prompt);
    runToTheEnd();
    close();
    return new Answer(List.copyOf(tokens.get("a")), finished.get("a"), List.copyOf(stored));
  }

  private Answer echo(SpeculationSettings speculation, int... prompt) {
    return answer(new EchoDevice(64, BLOCK, VOCABULARY, 60, END), speculation, prompt);
  }

  @Test
  void shouldTakeFewerStepsForTheSameAnswerWhenItRepeats() {
    with.maxTokens = 30;
    with.logprobs = true;
    with.topLogprobs = 2;
    final Answer plain = echo(SpeculationSettings.OFF, PROMPT);
    assertEquals(21, engine.load().steps());
    assertEquals(0, engine.load().draftedTokens());
    assertEquals(plain, echo(ON, PROMPT));
    assertEquals(21, plain.tokens().size());
    // The prompt, 1, then 2 and two drafts, 4 drafts, 8 drafts, and up to the end.
    assertEquals(6, engine.load().steps());
    assertEquals(15, engine.load().acceptedTokens());
  }

  @Test
  void shouldKeepNothingOfADraftWhenItWasWrong() {
    with.maxTokens = 30;
    with.logitBias = Map.of(0, 8f); // Logits are below 10: zeros follow zeros, but not always.
    long drafted = 0;
    long accepted = 0;
    for (int first = 0; first < 10; first++) {
      final int[] prompt = new int[16];
      prompt[0] = first;
      final Answer plain = answer(simulated(), SpeculationSettings.OFF, prompt);
      assertEquals(plain, answer(simulated(), ON, prompt));
      assertEquals((16 + plain.tokens().size() - 1) / BLOCK, plain.stored().size());
      drafted += engine.load().draftedTokens();
      accepted += engine.load().acceptedTokens();
    }
    assertTrue(accepted > 50, "accepted: " + accepted);
    assertTrue(drafted - accepted > 10, "drafted: " + drafted);
  }

  private static SimulatedDevice simulated() {
    return new SimulatedDevice(64, BLOCK, VOCABULARY, 60);
  }

  @Test
  void shouldEndInTheMiddleOfDraftsWhenTokensRunOut() {
    for (int maxTokens = 1; maxTokens <= 22; maxTokens++) {
      with.maxTokens = maxTokens;
      final Answer plain = echo(SpeculationSettings.OFF, PROMPT);
      assertEquals(Math.min(21, maxTokens), plain.tokens().size());
      assertEquals(maxTokens <= 20 ? FinishReason.LENGTH : FinishReason.STOP, plain.finish());
      assertEquals(plain, echo(ON, PROMPT));
    }
  }

  @Test
  void shouldEndInTheMiddleOfDraftsWhenATokenStopsTheAnswer() {
    with.maxTokens = 30;
    for (int stop : PROMPT) {
      with.stopTokenIds = Set.of(stop);
      with.minTokens = stop % 3 == 0 ? stop + 2 : 0;
      final Answer plain = echo(SpeculationSettings.OFF, PROMPT);
      assertEquals(plain, echo(ON, PROMPT));
      if (with.minTokens == 0) assertEquals(stop, plain.tokens().size());
    }
  }

  @Test
  void shouldDraftNoFurtherThanTheContext() {
    with.maxTokens = 1000;
    for (int context = 22; context < 42; context++) {
      final int length = context;
      final Answer plain =
          answer(
              new EchoDevice(64, BLOCK, VOCABULARY, length, END), SpeculationSettings.OFF, PROMPT);
      assertEquals(context - PROMPT.length, plain.tokens().size());
      assertEquals(plain, answer(new EchoDevice(64, BLOCK, VOCABULARY, length, END), ON, PROMPT));
      for (StepInput input : device.inputs) {
        for (StepInput.Slice slice : input.slices()) {
          assertTrue(slice.start() + slice.tokenCount() < context, "the last is never computed");
        }
      }
    }
  }

  @Test
  void shouldDraftOnlyIntoBlocksItHoldsWhenOthersWait() {
    with.maxTokens = 30;
    use(new EchoDevice(64, BLOCK, VOCABULARY, 60, END), ON, 1);
    submit("a", PROMPT);
    assertTrue(takesBlocksForDrafts());
    use(new EchoDevice(64, BLOCK, VOCABULARY, 60, END), ON, 1);
    submit("a", PROMPT);
    submit("b", OTHER);
    final PoolChecks books = new PoolChecks();
    boolean draftsAtAll = false;
    while (!finished.containsKey("a")) {
      draftsAtAll |= step(books).batchDraftCount() > 0;
      assertFalse(device.inputs.getLast().slices().stream().anyMatch(crossesIntoANewBlock()));
    }
    assertTrue(draftsAtAll);
    while (engine.hasWork()) step(books);
    close();
  }

  private boolean takesBlocksForDrafts() {
    runToTheEnd();
    close();
    return device.inputs.stream()
        .flatMap(input -> input.slices().stream())
        .anyMatch(crossesIntoANewBlock());
  }

  /** Of slices that decode: whether drafts begin a block. */
  private static Predicate<StepInput.Slice> crossesIntoANewBlock() {
    return slice ->
        slice.start() > 0
            && slice.start() / BLOCK != (slice.start() + slice.tokenCount() - 1) / BLOCK;
  }

  @Test
  void shouldDraftOnlyIntoBlocksItHoldsWhenTheLastOnesAreLeftToOthers() {
    with.maxTokens = 21;
    // 40 tokens at most: as many blocks as it may need, so the last one must be left when drafting.
    final Answer plain = echo(SpeculationSettings.OFF, PROMPT);
    final Answer scarce = answer(new EchoDevice(10, BLOCK, VOCABULARY, 60, END), ON, PROMPT);
    assertEquals(plain, scarce);
    final List<StepInput.Slice> slices =
        device.inputs.stream().flatMap(input -> input.slices().stream()).toList();
    assertTrue(
        slices.stream()
            .filter(crossesIntoANewBlock())
            .noneMatch(slice -> slice.start() + slice.tokenCount() > 9 * BLOCK),
        "the tenth block is taken by a token, not by a draft");
    assertTrue(slices.stream().anyMatch(crossesIntoANewBlock()));
  }

  @Test
  void shouldNotDraftWhenMoreSequencesDecodeThanTheMost() {
    with.maxTokens = 12;
    useEcho(ON);
    submit("a", PROMPT);
    submit("b", OTHER);
    with.maxTokens = 8;
    submit("c", 45, 46, 47, 48, 44, 43, 42, 41);
    final PoolChecks books = new PoolChecks();
    boolean draftsAtAll = false;
    while (engine.hasWork()) {
      final StepReport report = step(books);
      draftsAtAll |= report.batchDraftCount() > 0;
      if (report.batchSequenceCount() > 2) assertEquals(0, report.batchDraftCount());
    }
    assertTrue(draftsAtAll, "two may");
    close();
  }

  @Test
  void shouldReportTheTokensBeforeAFailureWithIt() {
    with.maxTokens = 30;
    useEcho(ON);
    submit("a", PROMPT);
    final PoolChecks books = new PoolChecks();
    while (engine.load().draftedTokens() == 0) step(books);
    final int before = tokens.get("a").size();
    device.answersNaN = true;
    device.nanRow = 2;
    final StepReport report = step(books);
    assertEquals(2, report.progress().getFirst().tokens().size());
    assertEquals(
        "the logit of token 1 at position " + (PROMPT.length + before + 2) + " is NaN",
        report.failures().getFirst().reason());
    assertEquals(0, engine.pool().usedCount());
    close();
  }

  @Test
  void shouldGoOnElsewhereWithTheSameTokensWhenItLeavesBetweenDrafts() {
    with.maxTokens = 30;
    final Answer plain = echo(SpeculationSettings.OFF, PROMPT);
    useEcho(ON);
    submit("a", PROMPT);
    final PoolChecks books = new PoolChecks();
    while (engine.load().acceptedTokens() == 0) step(books);
    final int taken = tokens.get("a").size();
    assertTrue(engine.cancel(new RequestId("a")));
    books.check(engine.pool(), engine.tables());
    final int[] moved = Arrays.copyOf(PROMPT, PROMPT.length + taken);
    for (int i = 0; i < taken; i++) moved[PROMPT.length + i] = plain.tokens().get(i).tokenId();
    assertNotNull(engine.submit(with.moved("a", PROMPT.length, moved)));
    while (engine.hasWork()) step(books);
    assertEquals(plain.tokens(), tokens.get("a"));
    close();
  }
}
