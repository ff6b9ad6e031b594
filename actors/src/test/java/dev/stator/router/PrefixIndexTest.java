package dev.stator.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import dev.stator.protocol.WorkerId;
import dev.stator.router.PrefixIndex.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrefixIndexTest {
  private static final WorkerId A = new WorkerId("a", 0);
  private static final WorkerId B = new WorkerId("b", 0);

  private final PrefixIndex index = new PrefixIndex();

  @Test
  void shouldCountLeadingBlocksOfEachWorker() {
    follow(A);
    follow(B);
    stored(A, 0, 1, 2, 3);
    stored(B, 0, 1, 2);
    assertEquals(Map.of(A, 3, B, 2), index.match(hashes(1, 2, 3, 4)));
    assertEquals(Map.of(), index.match(hashes(9, 1)));
    removed(A, 1, 1);
    assertEquals(Map.of(B, 2), index.match(hashes(1, 2, 3)));
    assertEquals(4, index.pairs());
  }

  @Test
  void shouldIgnoreWorkersThatItDoesNotFollow() {
    assertEquals(Outcome.IGNORED, stored(A, 0, 1));
    assertEquals(Outcome.IGNORED, index.applyDump(A, 0, 0, true, hashes(1)));
    assertEquals(0, index.pairs());
  }

  @Test
  void shouldIgnoreEventsUntilTheDumpIsThere() {
    index.follow(A);
    assertTrue(index.waitsForDump(A));
    assertEquals(Outcome.IGNORED, stored(A, 0, 1));
    assertEquals(Outcome.APPLIED, index.applyDump(A, 5, 0, false, hashes(1, 2)));
    assertEquals(Outcome.IGNORED, stored(A, 4, 7));
    assertEquals(Outcome.APPLIED, index.applyDump(A, 5, 1, true, hashes(3)));
    assertFalse(index.waitsForDump(A));
    assertEquals(Map.of(A, 3), index.match(hashes(1, 2, 3)));
  }

  @Test
  void shouldAskForADumpWhenEventsAreMissing() {
    follow(A);
    stored(A, 0, 1);
    assertEquals(Outcome.GAP, stored(A, 2, 3));
    assertEquals(Outcome.IGNORED, stored(A, 3, 4));
    assertEquals(Map.of(A, 1), index.match(hashes(1, 2)), "what was known stays until the dump");
    index.applyDump(A, 4, 0, true, hashes(2));
    assertEquals(Map.of(), index.match(hashes(1)));
    assertEquals(Map.of(A, 1), index.match(hashes(2)));
    assertEquals(Outcome.APPLIED, stored(A, 4, 5));
  }

  @Test
  void shouldTakeOnlyWhatIsNewOfARepeat() {
    follow(A);
    stored(A, 0, 1);
    assertEquals(Outcome.IGNORED, removed(A, 0, 1));
    assertEquals(
        Outcome.APPLIED,
        index.apply(
            A, 0, List.of(new KvEvent.Removed(hashes(1)), new KvEvent.Stored(null, hashes(2)))));
    assertEquals(Map.of(A, 1), index.match(hashes(1)));
    assertEquals(Map.of(A, 1), index.match(hashes(2)));
  }

  @Test
  void shouldStartADumpAnewWhenAPartIsMissing() {
    index.follow(A);
    index.applyDump(A, 5, 0, false, hashes(1));
    assertEquals(Outcome.GAP, index.applyDump(A, 5, 2, true, hashes(3)));
    assertTrue(index.waitsForDump(A));
    index.applyDump(A, 6, 0, true, hashes(4));
    assertEquals(Map.of(), index.match(hashes(1)));
    assertEquals(Map.of(A, 1), index.match(hashes(4)));
  }

  @Test
  void shouldForgetAWorkerAltogether() {
    follow(A);
    follow(B);
    stored(A, 0, 1);
    stored(B, 0, 1);
    index.forget(A);
    assertEquals(Map.of(B, 1), index.match(hashes(1)));
    assertEquals(1, index.pairs());
    index.forget(A);
    follow(A);
    assertEquals(Map.of(B, 1), index.match(hashes(1)));
  }

  @Test
  void shouldAgreeWithSetsOverRandomEventsWithLosses() {
    for (int seed = 0; seed < 50; seed++) compareWithSets(new Random(seed));
  }

  private static void compareWithSets(Random random) {
    final PrefixIndex index = new PrefixIndex();
    final Map<WorkerId, Set<BlockHash>> truth = new HashMap<>();
    final Map<WorkerId, Long> sequences = new HashMap<>();
    for (WorkerId worker : List.of(A, B)) {
      truth.put(worker, new HashSet<>());
      sequences.put(worker, 0L);
      index.follow(worker);
    }
    for (int step = 0; step < 300; step++) {
      final WorkerId worker = random.nextBoolean() ? A : B;
      final Set<BlockHash> here = truth.get(worker);
      final long sequence = sequences.merge(worker, 1L, Long::sum) - 1;
      final KvEvent event = randomEvent(random, here);
      if (random.nextInt(10) > 0) index.apply(worker, sequence, List.of(event)); // Else it is lost.
      if (index.waitsForDump(worker) && random.nextInt(3) == 0) {
        index.applyDump(worker, sequence + 1, 0, true, List.copyOf(here));
      }
    }
    long pairs = 0;
    for (WorkerId worker : List.of(A, B)) { // A lost last event shows with the next one.
      index.apply(worker, sequences.get(worker) + 1, List.of());
      index.applyDump(worker, sequences.get(worker), 0, true, List.copyOf(truth.get(worker)));
      pairs += truth.get(worker).size();
    }
    assertEquals(pairs, index.pairs());
    for (int i = 0; i < 50; i++) assertMatches(index, truth, random);
  }

  private static KvEvent randomEvent(Random random, Set<BlockHash> here) {
    final List<BlockHash> some = new ArrayList<>();
    for (int i = random.nextInt(1, 4); i > 0; i--) some.add(hash(random.nextInt(20)));
    if (random.nextBoolean()) {
      here.addAll(some);
      return new KvEvent.Stored(null, some);
    }
    some.forEach(here::remove);
    return new KvEvent.Removed(some);
  }

  private static void assertMatches(
      PrefixIndex index, Map<WorkerId, Set<BlockHash>> truth, Random random) {
    final List<BlockHash> sequence = new ArrayList<>();
    for (int i = 0; i < 6; i++) sequence.add(hash(random.nextInt(20)));
    final Map<WorkerId, Integer> expected = new HashMap<>();
    truth.forEach((worker, blocks) -> {
      int count = 0;
      while (count < sequence.size() && blocks.contains(sequence.get(count))) count++;
      if (count > 0) expected.put(worker, count);
    });
    assertEquals(expected, index.match(sequence));
  }

  private void follow(WorkerId worker) {
    index.follow(worker);
    index.applyDump(worker, 0, 0, true, List.of());
  }

  private Outcome stored(WorkerId worker, long sequence, int... blocks) {
    return index.apply(worker, sequence, List.of(new KvEvent.Stored(null, hashes(blocks))));
  }

  private Outcome removed(WorkerId worker, long sequence, int... blocks) {
    return index.apply(worker, sequence, List.of(new KvEvent.Removed(hashes(blocks))));
  }

  private static List<BlockHash> hashes(int... names) {
    final List<BlockHash> hashes = new ArrayList<>();
    for (int name : names) hashes.add(hash(name));
    return hashes;
  }

  private static BlockHash hash(int name) {
    return new BlockHash(7, name);
  }
}
