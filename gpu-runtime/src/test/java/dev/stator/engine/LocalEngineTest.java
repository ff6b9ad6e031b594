package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LocalEngineTest extends EngineFixture {
  // Scheduling.

  @Test
  void shouldDecodeFirstAndChunkPromptsWithinTheBudget() {
    submit("a", TEN);
    engine.step();
    submit("b", IntStream.range(0, 30).toArray());
    submit("c", THIRTEEN);
    engine.step();
    assertEquals(List.of(1, 12, 3), device.lastCounts()); // 16 tokens, 12 of one prompt at most.
    engine.step();
    assertEquals(List.of(1, 12, 3), device.lastCounts());
    engine.step();
    assertEquals(List.of(1, 6, 7), device.lastCounts());
    engine.step();
    assertEquals(List.of(1, 1, 1), device.lastCounts());
  }

  @Test
  void shouldComputeThePromptOnceWhenSiblingsShareIt() {
    with.temperature = 1;
    for (String id : List.of("a", "b", "c", "d")) {
      with.seed++;
      submit(id, THIRTEEN);
    }
    engine.step();
    assertEquals(List.of(12), device.lastCounts());
    engine.step();
    assertEquals(List.of(1, 1, 1, 1), device.lastCounts());
    runToTheEnd();
    assertEquals(4 * 8 + 12, engine.load().computedTokens());
    assertEquals(3 * 12, engine.load().prefixHitTokens());
    assertEquals(4 * 13, engine.load().prefixQueriedTokens());
  }

  @Test
  void shouldComputeItselfWhenTheOneItWaitsForIsCancelled() {
    submit("a", IntStream.range(0, 30).toArray());
    submit("b", IntStream.range(0, 30).toArray());
    engine.step();
    assertEquals(List.of(12), device.lastCounts());
    engine.cancel(A);
    engine.step();
    assertEquals(List.of(12), device.lastCounts());
    assertEquals(12, device.inputs.getLast().slices().getFirst().start());
    runToTheEnd();
    assertEquals(FinishReason.LENGTH, finished.get(B));
  }

  @Test
  void shouldPreemptTheNewestWhenBlocksRunOut() {
    usePool(8);
    with.maxTokens = 12;
    submit("a", TEN);
    submit("b", THIRTEEN);
    int preempted = 0;
    while (finished.size() < 2) {
      final StepReport report = stepOnce();
      preempted += report.preemptedCount();
      if (report.preemptedCount() == 0) continue;
      assertEquals(1, report.batchSequenceCount());
      assertEquals(A, report.progress().getFirst().id());
    }
    assertEquals(1, preempted);
    assertEquals(1, engine.load().preemptions());
    assertTrue(engine.load().computedTokens() < 10 + 11 + 13 + 11 + 13, "some of it was cached");
  }

  @Test
  void shouldPreemptTheVeryNewestFirst() {
    usePool(9);
    with.maxTokens = 12;
    submit("a", TEN);
    submit("b", THIRTEEN);
    submit("c", 1, 2, 3, 4, 5, 6, 7);
    while (engine.load().preemptions() == 0) stepOnce();
    assertEquals(1, engine.load().waitingSequences());
    assertTrue(engine.load().waitingTokens() > 7, "all its tokens are to be computed again");
    while (finished.isEmpty()) {
      for (StepReport.Progress progress : stepOnce().progress()) {
        assertFalse(progress.id().equals(new RequestId("c")));
      }
    }
  }

  @Test
  void shouldLeaveRoomToGrowWhenAnotherStarts() {
    usePool(8);
    final EngineSettings growing = new EngineSettings(16, 12, 4, 4, 2, 100, 12, 2);
    engine = new LocalEngine(device, growing, Set.of());
    submit("a", TEN); // 3 blocks; 5 are left.
    submit("b", THIRTEEN); // 4 blocks.
    submit("c", 1, 2, 3);
    engine.step();
    assertEquals(1, engine.load().runningSequences());
    engine.cancel(B);
    engine.step();
    assertEquals(2, engine.load().runningSequences());
  }

  @Test
  void shouldNotLetASmallerOneOvertakeWhenTheFirstHasNoRoom() {
    usePool(12);
    submit("a", IntStream.range(0, 30).toArray());
    engine.step();
    submit("b", IntStream.range(1, 31).toArray());
    submit("c", 1, 2);
    engine.step();
    assertEquals(1, engine.load().runningSequences());
    engine.cancel(A);
    engine.step();
    assertEquals(2, engine.load().runningSequences());
  }

  @Test
  void shouldComputeTheLastTokenWhenThePromptIsCached() {
    submit("a", TEN);
    runToTheEnd();
    final Admission admission = submit("b", TEN);
    assertEquals(8, assertInstanceOf(Admission.Admitted.class, admission).cachedTokens());
    assertEquals(8, engine.step().progress().getFirst().cachedTokens());
    assertEquals(List.of(2), device.lastCounts());
    runToTheEnd();
    submit("c", IntStream.range(10, 18).toArray()); // Two blocks, the second one recomputed.
    assertEquals(4, engine.step().progress().getFirst().cachedTokens());
    assertEquals(List.of(4), device.lastCounts());
  }

  @Test
  void shouldNotFindAnotherTenantsBlocks() {
    submit("a", TEN);
    runToTheEnd();
    final GenerationRequest salted =
        new GenerationRequest(B, TEN, TEN.length, with.params(), "tenant");
    assertEquals(
        0, assertInstanceOf(Admission.Admitted.class, engine.submit(salted)).cachedTokens());
  }

  // Ends.

  @Test
  void shouldEndWithLengthWhenTheContextIsFull() {
    engine = new LocalEngine(device, new EngineSettings(64, 64, 4, 4, 2, 100, 15, 0), Set.of());
    with.maxTokens = Integer.MAX_VALUE;
    submit("a", new int[50]);
    assertEquals(10, runToTheEnd());
    assertEquals(FinishReason.LENGTH, finished.get(A));
  }

  @Test
  void shouldStopWhenAnEndTokenIsChosen() {
    with.logitBias = Map.of(7, 100f);
    engine = new LocalEngine(device, SETTINGS, Set.of(7));
    submit("a", TEN);
    assertEquals(1, runToTheEnd());
    assertEquals(FinishReason.STOP, finished.get(A));
    with.ignoreEnd = true;
    submit("a", TEN);
    assertEquals(8, runToTheEnd());
    assertEquals(FinishReason.LENGTH, finished.get(A));
    with.stopTokenIds = Set.of(7);
    with.minTokens = 3;
    submit("a", TEN);
    assertEquals(4, runToTheEnd());
    assertEquals(FinishReason.STOP, finished.get(A));
  }

  @Test
  void shouldFreeTheBlocksAtOnceWhenCancelled() {
    submit("a", TEN);
    engine.step();
    assertEquals(3, engine.load().usedBlocks());
    assertTrue(engine.cancel(A));
    assertEquals(0, engine.load().usedBlocks());
    assertEquals(2, engine.load().cachedBlocks());
    assertFalse(engine.cancel(A));
    assertFalse(engine.hasWork());
  }

  @Test
  void shouldGoOnWhenARequestMovedHere() {
    with.temperature = 1;
    with.frequencyPenalty = 1;
    submit("a", TEN);
    final int[] tokens = new int[14];
    System.arraycopy(TEN, 0, tokens, 0, 10);
    for (int i = 10; i < 14; i++) {
      tokens[i] = engine.step().progress().getFirst().tokens().getFirst().tokenId();
    }
    final SampledToken next = engine.step().progress().getFirst().tokens().getFirst();
    engine.submit(with.moved("b", 10, tokens));
    final StepReport.Progress moved =
        engine.step().progress().stream().filter(p -> p.id().equals(B)).findFirst().orElseThrow();
    assertEquals(List.of(next), moved.tokens());
    runToTheEnd();
    assertEquals(FinishReason.LENGTH, finished.get(B));
  }

  // Failures.

  @Test
  void shouldFailTheStepsSequencesWhenTheDeviceFails() {
    submit("a", IntStream.range(0, 30).toArray());
    submit("b", THIRTEEN);
    submit("c", TEN);
    device.failure = new IllegalStateException("the device is gone");
    final EngineFailure failure = assertThrows(EngineFailure.class, engine::step);
    assertEquals(List.of(A, B), failure.failedIds());
    assertSame(device.failure, failure.getCause());
    assertEquals(0, engine.load().usedBlocks());
    assertEquals(0, engine.load().cachedBlocks());
    device.failure = null;
    runToTheEnd();
    assertEquals(Set.of(new RequestId("c")), finished.keySet());
  }

  @Test
  void shouldFailTheSequenceAloneWhenItsLogitsAreNoNumbers() {
    submit("a", TEN);
    submit("b", 1, 2, 3);
    device.answersNaN = true;
    final StepReport report = engine.step();
    device.answersNaN = false;
    assertEquals(
        List.of(new StepReport.Failure(A, "the logit of token 1 at position 10 is NaN")),
        report.failures());
    assertEquals(1, report.progress().size());
    assertFalse(engine.cancel(A));
    runToTheEnd();
    assertEquals(Set.of(B), finished.keySet());
  }

  // Limits.

  @Test
  void shouldRefuseForGoodWhatCanNeverFit() {
    assertRefused(
        "device.context-length", 61, 60, false, engine.submit(with.request("a", new int[60])));
    assertRefused("device.vocabulary-size", 50, 50, false, submit("a", 1, 50));
    assertRefused("device.vocabulary-size", -1, 50, false, submit("a", -1));
    with.maxTokens = 2;
    assertRefused("request.max-tokens", 3, 2, false, engine.submit(with.moved("a", 1, 1, 2, 3)));
    with.maxTokens = 100;
    assertRefused("engine.request-blocks-max", 15, 12, false, submit("a", TEN));
    with.maxTokens = 39;
    assertInstanceOf(Admission.Admitted.class, submit("a", TEN)); // 48 tokens computed, 12 blocks.
    usePool(11);
    assertRefused("device.block-count", 12, 11, false, submit("a", TEN));
    with.logitBias = Map.of(50, 1f);
    with.maxTokens = 1;
    assertRefused("device.vocabulary-size", 50, 50, false, submit("a", TEN));
  }

  @Test
  void shouldRefuseEndTokensOutsideTheVocabulary() {
    assertThrows(
        IllegalArgumentException.class, () -> new LocalEngine(device, SETTINGS, Set.of(50)));
  }

  @Test
  void shouldRefuseForNowWhenTheQueueIsFull() {
    for (String id : List.of("a", "b", "c", "d")) submit(id, 1, 2);
    assertRefused("engine.waiting-max", 5, 4, true, submit("e", 1, 2));
    engine.step();
    assertInstanceOf(Admission.Admitted.class, submit("e", 1, 2));
  }

  /** Its client has read a part: it would see a broken stream, others are told to come later. */
  @Test
  void shouldTakeAnswersThatHaveBegunBeforeAllOthersWhenTheQueueIsFull() {
    with.maxTokens = 1;
    for (String id : List.of("a", "b", "c", "d")) submit(id, new int[20]);
    with.maxTokens = 45;
    assertInstanceOf(Admission.Admitted.class, engine.submit(with.moved("e", 1, 3, 4)));
    assertInstanceOf(Admission.Admitted.class, engine.submit(with.moved("f", 1, new int[40])));
    assertRefused("engine.waiting-begun-max", 3, 2, true, engine.submit(with.moved("g", 1, 3, 4)));
    final var first = engine.step().progress().stream().map(StepReport.Progress::id).toList();
    assertEquals(new RequestId("e"), first.getFirst());
    engine.cancel(new RequestId("f"));
  }

  @Test
  void shouldRefuseForNowWhenTheQueueHasTooManyTokens() {
    with.maxTokens = 1;
    submit("a", new int[40]);
    submit("b", new int[40]);
    assertRefused("engine.waiting-tokens-max", 110, 100, true, submit("c", new int[30]));
  }

  @Test
  void shouldRefuseAnIdThatIsHere() {
    submit("a", TEN);
    assertRefused("engine.sequences-per-id", 2, 1, true, submit("a", THIRTEEN));
  }
}
