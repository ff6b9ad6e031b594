package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.kv.KvEvent;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Blocks computed for other engines, and blocks filled by them. */
class RemotePrefillTest extends EngineFixture {
  private static final int[] THIRTY = IntStream.range(0, 30).toArray();
  private static final int ROUNDS = 20;

  private boolean hasStarted;

  @Test
  void shouldComputeFullBlocksBeforeTheLastTokenWhenPrefilling() {
    engine.prefill(with.request("a", THIRTEEN));
    final StepReport.Progress progress = engine.step().progress().getFirst();
    assertEquals(3, progress.fullBlocks().size());
    assertEquals(FinishReason.LENGTH, progress.finish());
    assertEquals(List.of(), progress.tokens());
    assertEquals(List.of(12), device.lastCounts());
    assertFalse(engine.hasWork());
    assertEquals(3, engine.load().usedBlocks());
    engine.release(A);
    engine.release(A);
    assertEquals(0, engine.load().usedBlocks());
    assertEquals(3, engine.load().cachedBlocks());
  }

  @Test
  void shouldReportBlocksAsTheyAreFullWhenPrefillingInChunks() {
    engine.prefill(with.request("a", IntStream.range(0, 30).toArray()));
    assertEquals(3, engine.step().progress().getFirst().fullBlocks().size());
    assertInstanceOf(Admission.Admitted.class, engine.prefill(with.request("b", 1, 2)));
    final StepReport second = engine.step();
    assertEquals(3, second.progress().getFirst().fullBlocks().size());
    assertNull(second.progress().getFirst().finish());
    assertEquals(FinishReason.LENGTH, second.progress().getLast().finish()); // No full block in b.
    assertEquals(1, engine.step().progress().getFirst().fullBlocks().size());
  }

  @Test
  void shouldReportFoundBlocksWhenAllAreCached() {
    submit("a", THIRTEEN);
    runToTheEnd();
    final int stepsBefore = device.inputs.size();
    engine.prefill(with.request("b", THIRTEEN));
    final StepReport.Progress progress = engine.step().progress().getFirst();
    assertEquals(3, progress.fullBlocks().size());
    assertEquals(12, progress.cachedTokens());
    assertEquals(FinishReason.LENGTH, progress.finish());
    assertEquals(stepsBefore, device.inputs.size());
  }

  @Test
  void shouldKeepPrefilledBlocksWhenOthersNeedBlocks() {
    usePool(8);
    engine.prefill(with.request("a", THIRTEEN));
    final List<Integer> blocks = engine.step().progress().getFirst().fullBlocks();
    with.maxTokens = 12;
    submit("b", TEN); // Needs 6 blocks in the end, 5 are left.
    assertFalse(engine.hasWork());
    engine.release(A);
    assertTrue(engine.hasWork());
    runToTheEnd();
    assertEquals(3, blocks.size());
    assertEquals(FinishReason.LENGTH, finished.get(B));
  }

  @Test
  void shouldKeepPrefilledBlocksUntilReleaseWhenTheDeviceFails() {
    usePool(8);
    engine.prefill(with.request("a", THIRTY));
    final List<Integer> blocks = engine.step().progress().getFirst().fullBlocks();
    final byte[] before = bytes(blocks);
    failOnce();
    assertEquals(7, engine.load().usedBlocks());
    assertEquals(7, engine.pinnedBlocks());
    assertFalse(engine.hasWork());
    with.maxTokens = 16;
    submit("b", TEN); // Would need all blocks but one.
    assertFalse(engine.hasWork());
    assertArrayEquals(before, bytes(blocks));
    engine.release(A);
    assertEquals(0, engine.load().usedBlocks());
    assertEquals(3, engine.load().cachedBlocks());
    assertEquals(0, engine.pinnedBlocks());
    runToTheEnd();
    assertEquals(FinishReason.LENGTH, finished.get(B));
  }

  @Test
  void shouldEndAFailedPrefillWhenItIsCancelled() {
    engine.prefill(with.request("a", THIRTY));
    engine.step();
    failOnce();
    assertTrue(engine.cancel(A));
    assertFalse(engine.cancel(A));
    assertEquals(0, engine.load().usedBlocks());
    assertEquals(0, engine.pinnedBlocks());
    assertInstanceOf(Admission.Admitted.class, engine.prefill(with.request("a", THIRTY)));
    runToTheEnd();
    assertEquals(FinishReason.LENGTH, finished.get(A));
  }

  @Test
  void shouldKeepAFinishedPrefillWhenItsStepFailsAfterwards() {
    engine.prefill(with.request("a", 1, 2, 3, 4, 5));
    submit("b", 6, 7, 8);
    device.logitsFailure = new IllegalStateException("the logits are gone");
    final EngineFailure failure = assertThrows(EngineFailure.class, engine::step);
    assertEquals(List.of(A, B), failure.failedIds());
    assertEquals(1, engine.load().usedBlocks());
    engine.release(A);
    assertEquals(0, engine.load().usedBlocks());
    assertFalse(engine.cancel(B));
    for (String id : List.of("a", "c", "d", "e")) { // The queue's limit counts nothing twice.
      assertInstanceOf(Admission.Admitted.class, engine.prefill(with.request(id, 1, 2)));
    }
  }

  private void failOnce() {
    device.failure = new IllegalStateException("the device is gone");
    assertEquals(List.of(A), assertThrows(EngineFailure.class, engine::step).failedIds());
    device.failure = null;
  }

  private byte[] bytes(List<Integer> blocks) {
    final ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int block : blocks) all.writeBytes(device.block(block).toArray(ValueLayout.JAVA_BYTE));
    return all.toByteArray();
  }

  // Blocks filled by others.

  @Test
  void shouldWaitForResumeWhenReserved() {
    final Admission admission = engine.reserve(with.request("a", THIRTEEN));
    final List<Integer> toFill =
        assertInstanceOf(Admission.Admitted.class, admission).blocksToFill();
    assertEquals(3, toFill.size());
    assertFalse(engine.hasWork());
    assertEquals(4, engine.load().usedBlocks());
    try (SimulatedDevice other = new SimulatedDevice(8, 4, 50, 60)) {
      final LocalEngine prefill = new LocalEngine(other, SETTINGS, Set.of());
      prefill.prefill(with.request("a", THIRTEEN));
      final List<Integer> full = prefill.step().progress().getFirst().fullBlocks();
      for (int i = 0; i < 3; i++) device.block(toFill.get(i)).copyFrom(other.block(full.get(i)));
    }
    engine.resume(A, 3);
    assertTrue(engine.hasWork());
    final StepReport report = engine.step();
    assertEquals(List.of(1), device.lastCounts());
    assertEquals(3, ((KvEvent.Stored) report.events().getFirst()).blocks().size());
    final SampledToken remote = report.progress().getFirst().tokens().getFirst();
    runToTheEnd();
    usePool(32);
    submit("a", THIRTEEN);
    engine.step();
    assertEquals(remote, engine.step().progress().getFirst().tokens().getFirst());
  }

  @Test
  void shouldComputeTheRestWhenOnlyAPartWasFilled() {
    engine.reserve(with.request("a", THIRTEEN));
    engine.resume(A, 0);
    engine.resume(A, 2); // Too late, ignored.
    engine.step();
    assertEquals(List.of(12), device.lastCounts());
  }

  @Test
  void shouldRefuseToResumeWithMoreThanWasReserved() {
    engine.reserve(with.request("a", THIRTEEN));
    assertThrows(IllegalArgumentException.class, () -> engine.resume(A, 4));
    assertThrows(IllegalArgumentException.class, () -> engine.resume(A, -1));
    engine.resume(B, 9); // Unknown, ignored.
    engine.resume(A, 3);
  }

  @Test
  void shouldCountReservationsAgainstTheSlots() {
    for (String id : List.of("a", "b", "c", "d")) engine.reserve(with.request(id, 1, 2, 3));
    assertRefused("engine.running-max", 5, 4, true, engine.reserve(with.request("e", 1, 2, 3)));
    submit("e", 1, 2, 3);
    assertFalse(engine.hasWork());
    engine.cancel(A);
    assertTrue(engine.hasWork());
  }

  @Test
  void shouldRefuseToReserveWhatARunningAnswerMayComeToNeed() {
    usePool(8);
    with.maxTokens = 12;
    submit("a", TEN); // Needs 6 blocks in the end.
    engine.step();
    assertRefused(
        "device.block-count",
        9,
        8,
        true,
        engine.reserve(with.request("b", 1, 2, 3, 4, 5, 6, 7, 8, 9)));
    with.maxTokens = 1;
    assertInstanceOf(
        Admission.Admitted.class, engine.reserve(with.request("b", 1, 2, 3, 4, 5, 6, 7, 8)));
    runToTheEnd();
    assertEquals(FinishReason.LENGTH, finished.get(A));
  }

  @Test
  void shouldRefuseToReserveWhatAReservedAnswerMayComeToNeed() {
    usePool(8);
    with.maxTokens = 12;
    engine.reserve(with.request("a", TEN)); // Holds 3 blocks, needs 3 more in the end.
    with.maxTokens = 1;
    assertRefused(
        "device.block-count",
        6,
        5,
        true,
        engine.reserve(with.request("b", 1, 2, 3, 4, 5, 6, 7, 8, 9)));
    assertInstanceOf(Admission.Admitted.class, engine.reserve(with.request("b", 1, 2, 3, 4, 5)));
    engine.resume(A, 0);
    while (finished.isEmpty()) stepOnce();
    assertEquals(FinishReason.LENGTH, finished.get(A));
  }

  // Who waits is not overtaken for good.

  @Test
  void shouldStartAWaitingAnswerWhenReservationsKeepComing() {
    usePool(8);
    final Deque<RequestId> reserved = new ArrayDeque<>();
    with.maxTokens = 1;
    reserveNext(reserved, 0);
    reserveNext(reserved, 1);
    with.maxTokens = 20;
    submit("a", 1, 2, 3, 4); // Needs 1 block now, 6 in the end; 4 of 8 are pinned.
    with.maxTokens = 1;
    for (int round = 2; round < ROUNDS && !hasStarted; round++) {
      reserveNext(reserved, round);
      engine.resume(reserved.remove(), 0);
      lookFor(A);
    }
    assertTrue(hasStarted);
  }

  @Test
  void shouldStartAWaitingPrefillWhenReservationsKeepComing() {
    usePool(8);
    final Deque<RequestId> reserved = new ArrayDeque<>();
    with.maxTokens = 15; // Each holds 2 blocks and needs 3 more in the end.
    reserveNext(reserved, 0);
    reserveNext(reserved, 1);
    engine.prefill(with.request("a", 1, 2, 3, 4, 5, 6, 7, 8, 9)); // Needs 2 blocks.
    for (int round = 2; round < ROUNDS && !hasStarted; round++) {
      engine.cancel(reserved.remove());
      reserveNext(reserved, round);
      lookFor(A);
    }
    assertTrue(hasStarted);
  }

  @Test
  void shouldComputeAWaitingPromptBeforeThoseThatWereReservedAfterIt() {
    submit("a", THIRTY);
    for (int token : new int[] {40, 41}) {
      final int[] prompt = THIRTY.clone();
      prompt[0] = token;
      final String id = token == 40 ? "b" : "c";
      assertInstanceOf(Admission.Admitted.class, engine.reserve(with.request(id, prompt)));
      engine.resume(new RequestId(id), 0);
    }
    engine.step();
    assertEquals(List.of(12, 4), device.lastCounts());
    assertEquals(0, device.inputs.getLast().slices().getFirst().tokens()[0]);
  }

  private void reserveNext(Deque<RequestId> reserved, int round) {
    final String id = List.of("b", "c", "d", "e").get(round % 4);
    final Admission admission = engine.reserve(with.request(id, round, 46, 47, 48, 49));
    if (admission instanceof Admission.Admitted) reserved.add(new RequestId(id));
  }

  private void lookFor(RequestId id) {
    if (!engine.hasWork()) return;
    hasStarted |= stepOnce().progress().stream().anyMatch(progress -> progress.id().equals(id));
  }
}
