package dev.stator.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.CacheCommand.Located;
import dev.stator.protocol.CacheCommand.PinAnswer;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.Placement.BlockSource;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerId;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LogCapturingExtension.class)
class CacheBlocksTest {
  private static final CacheSettings SETTINGS =
      new CacheSettings(2, 4, Duration.ofSeconds(60), Duration.ofSeconds(5));
  private static final WorkerId A = new WorkerId("a", 0);
  private static final WorkerId B = new WorkerId("b", 0);
  private static final Duration LONG = Duration.ofHours(1);

  private final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  private final ManualTime time = ManualTime.get(testKit.system());
  private final TestProbe<WorkerCommand> worker = testKit.createTestProbe();
  private final TestProbe<WorkerCommand> otherWorker = testKit.createTestProbe();
  private final TestProbe<Located> located = testKit.createTestProbe();
  private final TestProbe<PinAnswer> pins = testKit.createTestProbe();
  private final ActorRef<CacheCommand> cache = testKit.spawn(CacheBlocks.create(SETTINGS));

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
  }

  @Test
  void shouldNameAllPlacesLongestFirst() {
    join(A, worker, KvTier.DEVICE, 1, 2);
    join(B, otherWorker, KvTier.HOST, 1, 2, 3);
    batch(A, worker, KvTier.DISK, 0, 1);
    worker.receiveMessage();
    dump(A, KvTier.DISK, 1, 1, 2, 3);
    assertLocated(
        new BlockSource(B, KvTier.HOST, 3),
        new BlockSource(A, KvTier.DISK, 3),
        new BlockSource(A, KvTier.DEVICE, 2));
  }

  @Test
  void shouldAskForADumpWhenItMeetsAWorkerAndWhenEventsAreMissing() {
    batch(A, worker, KvTier.DEVICE, 7, 1);
    worker.expectMessage(new WorkerCommand.DumpKv(cache));
    dump(A, KvTier.DEVICE, 8, 1, 2);
    batch(A, worker, KvTier.DEVICE, 8, 3);
    assertLocated(new BlockSource(A, KvTier.DEVICE, 3));
    batch(A, worker, KvTier.DEVICE, 11, 4);
    worker.expectMessage(new WorkerCommand.DumpKv(cache));
  }

  @Test
  void shouldAskAgainWhenADumpDoesNotCome() {
    batch(A, worker, KvTier.DEVICE, 0, 1);
    worker.receiveMessage();
    time.timePasses(SETTINGS.dumpTimeout());
    worker.expectMessage(new WorkerCommand.DumpKv(cache));
    dump(A, KvTier.DEVICE, 1, 1);
    time.timePasses(SETTINGS.dumpTimeout());
    worker.expectNoMessage(Duration.ofMillis(20));
  }

  @Test
  void shouldForgetAWorkerThatIsGoneWithItsLeases() {
    join(A, worker, KvTier.DEVICE, 1, 2);
    join(B, otherWorker, KvTier.DEVICE, 1);
    pin("first", A, LONG, 1);
    pins.expectMessage(new PinAnswer.Pinned("first", 1));
    pin("second", B, LONG, 1);
    pins.expectMessage(new PinAnswer.Pinned("second", 1));
    worker.stop();
    located.awaitAssert(() -> {
      assertLocated(new BlockSource(B, KvTier.DEVICE, 1));
      return null;
    });
    pin("third", B, LONG, 1); // The first lease's place is free.
    pins.expectMessage(new PinAnswer.Pinned("third", 1));
  }

  @Test
  void shouldPinTheLeadingBlocksThatAreThere() {
    join(A, worker, KvTier.DEVICE, 1, 2);
    pin("first", A, LONG, 1, 2, 3);
    pins.expectMessage(new PinAnswer.Pinned("first", 2));
    pin("none", A, LONG, 9);
    pins.expectMessage(new PinAnswer.PinRefused("none", "blocks there", 1, 0));
    pin("long", A, LONG, 1, 2, 3, 4, 5);
    pins.expectMessage(new PinAnswer.PinRefused("long", "cache.lease-blocks-max", 5, 4));
  }

  @Test
  void shouldRefuseMoreLeasesThanAllowedButProlongAnyOfThem() {
    join(A, worker, KvTier.DEVICE, 1);
    pin("first", A, LONG, 1);
    pin("second", A, LONG, 1);
    pins.receiveMessage();
    pins.receiveMessage();
    pin("third", A, LONG, 1);
    pins.expectMessage(new PinAnswer.PinRefused("third", "cache.leases-max", 3, 2));
    pin("second", A, LONG, 1);
    pins.expectMessage(new PinAnswer.Pinned("second", 1));
    cache.tell(new CacheCommand.Unpin("first"));
    cache.tell(new CacheCommand.Unpin("unknown"));
    pin("third", A, LONG, 1);
    pins.expectMessage(new PinAnswer.Pinned("third", 1));
  }

  @Test
  void shouldEndALeaseWhenItsLifeIsOver() {
    join(A, worker, KvTier.DEVICE, 1);
    pin("short", A, Duration.ofSeconds(1), 1);
    pin("long", A, LONG, 1);
    pins.receiveMessage();
    pins.receiveMessage();
    time.timePasses(Duration.ofSeconds(1));
    pin("third", A, LONG, 1);
    pins.expectMessage(new PinAnswer.Pinned("third", 1));
    time.timePasses(SETTINGS.leaseLifeMax()); // No lease lives longer, whatever was asked for.
    pin("fourth", A, LONG, 1);
    pins.expectMessage(new PinAnswer.Pinned("fourth", 1));
  }

  @Test
  void shouldCountPinsOfABlock() {
    final LeaseBook book = new LeaseBook();
    final var place = new LeaseBook.Place(hash(1), A, KvTier.DEVICE);
    book.pin("first", A, KvTier.DEVICE, hashes(1, 2));
    book.pin("second", A, KvTier.DEVICE, hashes(1));
    book.pin("first", A, KvTier.DEVICE, hashes(2));
    assertTrue(book.isPinned(place));
    book.unpin("second");
    assertFalse(book.isPinned(place));
    assertTrue(book.isPinned(new LeaseBook.Place(hash(2), A, KvTier.DEVICE)));
    assertEquals(1, book.size());
  }

  private void join(WorkerId id, TestProbe<WorkerCommand> probe, KvTier tier, int... blocks) {
    batch(id, probe, tier, 0);
    probe.expectMessage(new WorkerCommand.DumpKv(cache));
    dump(id, tier, 0, blocks);
  }

  private void batch(
      WorkerId id, TestProbe<WorkerCommand> probe, KvTier tier, long sequence, int... blocks) {
    final List<KvEvent> events = List.of(new KvEvent.Stored(null, hashes(blocks)));
    cache.tell(
        new KvBatch(id, sequence, tier, blocks.length == 0 ? List.of() : events, probe.ref()));
  }

  private void dump(WorkerId id, KvTier tier, long nextSequence, int... blocks) {
    cache.tell(new KvDumpPart(id, nextSequence, tier, 0, true, hashes(blocks)));
  }

  private void pin(String leaseId, WorkerId id, Duration life, int... blocks) {
    cache.tell(new CacheCommand.Pin(leaseId, id, KvTier.DEVICE, hashes(blocks), life, pins.ref()));
  }

  private void assertLocated(BlockSource... sources) {
    cache.tell(new CacheCommand.Locate(hashes(1, 2, 3, 4), located.ref()));
    assertEquals(List.of(sources), located.receiveMessage().sources());
  }

  private static List<BlockHash> hashes(int... names) {
    return IntStream.of(names).mapToObj(CacheBlocksTest::hash).toList();
  }

  private static BlockHash hash(int name) {
    return new BlockHash(3, name);
  }
}
