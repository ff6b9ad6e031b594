package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.kv.BlockHash;
import dev.stator.kv.BlockHasher;
import dev.stator.kv.KvEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A pool of 10 blocks of 4 tokens; room for 20 on the host, where two or more are worth a load. */
class HostCacheTest {
  private static final int[] THIRTEEN = IntStream.range(20, 33).toArray(); // Three full blocks.
  private static final int[] FORTY = IntStream.range(0, 38).toArray(); // All of the pool.
  private static final RequestId A = new RequestId("a");
  private static final EngineSettings SETTINGS =
      new EngineSettings(
          64, 64, 4, 4, 2, 1000, 10, 0, SpeculationSettings.OFF, new HostTierSettings(15, 2));

  private final Requests with = new Requests();
  private final TieredDevice tiered =
      new TieredDevice(new SimulatedDevice(10, 4, 50, 60), 20, new Random(1));
  private final RecordingDevice device = new RecordingDevice(tiered);
  private final LocalEngine engine = new LocalEngine(device, SETTINGS, Set.of());
  private final List<KvEvent> hostEvents = new ArrayList<>();
  private int calls;

  HostCacheTest() {
    with.maxTokens = 2;
    engine.onWork(() -> calls++);
  }

  @AfterEach
  void shouldLeaveNothingBehind() {
    engine.cancel(A);
    while (tiered.isLoading()) tiered.endLoad(false);
    finish();
    assertEquals(0, engine.pool().usedCount());
    assertEquals(0, engine.pinnedBlocks());
    device.close();
  }

  private List<Integer> finish() {
    final List<Integer> tokens = new ArrayList<>();
    while (engine.hasWork()) tokens.addAll(step());
    return tokens;
  }

  private List<Integer> step() {
    final StepReport report = engine.step();
    hostEvents.addAll(report.hostEvents());
    return report.progress().stream()
        .flatMap(progress -> progress.tokens().stream())
        .map(SampledToken::tokenId)
        .toList();
  }

  private List<Integer> answer(String id, int... prompt) {
    assertInstanceOf(Admission.Admitted.class, engine.submit(with.request(id, prompt)));
    return finish();
  }

  /** Three blocks are on the host, and no more on the device. */
  private List<Integer> sink() {
    final List<Integer> answer = answer("first", THIRTEEN);
    tiered.endStores();
    answer("second", FORTY);
    assertEquals(0, engine.scheduler().foundTokens(sequenceOf(THIRTEEN)));
    device.inputs.clear();
    return answer;
  }

  private Sequence sequenceOf(int[] prompt) {
    final var hasher = new BlockHasher(device.numericsFingerprint(), 4);
    final var request = with.request("probe", prompt);
    return new Sequence(request, Sequence.Kind.ANSWER, 0, 60, null, null, hasher);
  }

  @Test
  void shouldCopyBackWhatHasFallenOutOfThePool() {
    final List<Integer> expected = sink();
    engine.submit(with.request("a", THIRTEEN));
    assertEquals(List.of(), step());
    assertFalse(engine.hasWork(), "it waits for copies");
    assertEquals(0, calls);
    tiered.endLoad(false);
    assertEquals(1, calls);
    assertTrue(engine.hasWork());
    final StepReport report = engine.step();
    assertEquals(1, report.batchTokenCount(), "only what stands behind the copied blocks");
    assertEquals(12, report.progress().getFirst().cachedTokens());
    final List<Integer> tokens = new ArrayList<>();
    report.progress().getFirst().tokens().forEach(token -> tokens.add(token.tokenId()));
    tokens.addAll(finish());
    assertEquals(expected, tokens);
    final HostTierLoad load = engine.load().hostTier();
    assertEquals(3, load.loadedBlocks());
    assertEquals(1, load.hits());
    assertEquals(20, load.totalBlocks());
  }

  @Test
  void shouldTellWhatTheHostHolds() {
    sink();
    engine.submit(with.request("b", 1)); // A step that hears of the copies.
    finish();
    final List<BlockHash> stored = new ArrayList<>();
    for (KvEvent event : hostEvents) stored.addAll(((KvEvent.Stored) event).blocks());
    final Sequence first = sequenceOf(THIRTEEN);
    assertEquals(List.of(first.hash(0), first.hash(1), first.hash(2)), stored.subList(0, 3));
    assertEquals(stored.size(), engine.load().hostTier().usedBlocks());
  }

  @Test
  void shouldComputeOthersWhileCopiesRunAndNothingTwice() {
    sink();
    engine.submit(with.request("a", THIRTEEN));
    step();
    engine.submit(with.request("c", THIRTEEN)); // Needs the blocks that are being copied.
    assertFalse(engine.hasWork());
    engine.submit(with.request("d", 1, 2, 3));
    assertEquals(2, finish().size(), "d's");
    tiered.endLoad(false);
    assertEquals(4, finish().size());
    assertEquals(1, engine.load().hostTier().hits());
    assertEquals(3 + 1 + 3 * 1 + 1, device.inputs.stream().mapToInt(i -> i.tokenCount()).sum());
  }

  @Test
  void shouldComputeWhatCouldNotBeCopied() {
    final List<Integer> expected = sink();
    engine.submit(with.request("a", THIRTEEN));
    step();
    tiered.endLoad(true);
    assertEquals(expected, finish());
    assertEquals(13, device.inputs.get(0).tokenCount());
    assertEquals(0, engine.load().hostTier().loadedBlocks());
  }

  @Test
  void shouldFreeACancelledSequencesBlocksOnceNobodyWritesThem() {
    sink();
    engine.submit(with.request("a", THIRTEEN));
    step();
    assertTrue(engine.cancel(A));
    assertFalse(engine.cancel(A));
    assertEquals(4, engine.load().usedBlocks());
    assertInstanceOf(
        Admission.Admitted.class, engine.submit(with.request("a", 7)), "the id is free");
    tiered.endLoad(false);
    finish();
    assertEquals(0, engine.load().usedBlocks());
    assertEquals(12, engine.scheduler().foundTokens(sequenceOf(THIRTEEN)), "they were copied");
  }

  @Test
  void shouldReserveOnlyWhatIsOnNeitherOfThem() {
    final List<Integer> expected = sink();
    final int[] longer = IntStream.range(20, 46).toArray(); // Six full blocks.
    for (boolean isFilledFirst : new boolean[] {true, false}) {
      if (!isFilledFirst) longer[13] = 1; // Its fourth block is another's.
      final var admitted = (Admission.Admitted) engine.reserve(with.request("a", longer));
      assertEquals(12, admitted.cachedTokens());
      assertEquals(3, admitted.blocksToFill().size());
      assertThrows(IllegalArgumentException.class, () -> engine.resume(A, 4));
      if (isFilledFirst) engine.resume(A, 0);
      assertEquals(List.of(), finish(), "but for events, there is nothing to do");
      tiered.endLoad(false);
      if (!isFilledFirst) {
        step();
        engine.resume(A, 0);
      }
      assertEquals(2, finish().size());
      assertEquals(14, device.inputs.get(0).tokenCount());
      assertEquals(expected, answer("again", THIRTEEN));
      tiered.endStores();
      answer("other", FORTY);
      device.inputs.clear();
    }
  }

  @Test
  void shouldCopyForAPrefillToo() {
    sink();
    engine.prefill(with.request("a", THIRTEEN));
    step();
    tiered.endLoad(false);
    final StepReport report = engine.step();
    assertEquals(0, report.batchTokenCount());
    assertEquals(3, report.progress().getFirst().fullBlocks().size());
    assertEquals(3, engine.pinnedBlocks());
    engine.release(A);
  }

  @Test
  void shouldComputeWhatIsNotWorthACopy() {
    sink();
    with.maxTokens = 1;
    engine.submit(with.request("a", IntStream.range(20, 26).toArray())); // One full block.
    assertEquals(1, step().size());
    assertEquals(0, engine.load().hostTier().hits());
  }

  @Test
  void shouldStoreNoMoreAtATimeThanIsSet() {
    answer("a", FORTY); // Nine full blocks, on their way.
    answer("b", THIRTEEN);
    answer("c", IntStream.range(5, 30).toArray()); // Six; there is room for three.
    tiered.endStores();
    answer("d", 1);
    assertEquals(3 + 3, engine.load().hostTier().usedBlocks(), "all of a's were evicted");
    answer("e", IntStream.range(5, 34).toArray()); // One more, behind the three that were left.
    tiered.endStores();
    answer("f", 1);
    assertEquals(6 + 3 + 1, engine.load().hostTier().usedBlocks());
  }
}
