package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.Admission;
import dev.stator.engine.FinishReason;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.engine.SamplingParams;
import dev.stator.engine.StepReport;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.DecodeCommand.PrefillEnded;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.transport.BlockMove;
import dev.stator.transport.Grant;
import dev.stator.transport.GrantOutcome;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The prefill role between an engine, a transfer agent and a decode worker; copies run when told.
 */
@ExtendWith(LogCapturingExtension.class)
class PrefillWorkerTest {
  private static final WorkerDescription WORKER =
      new WorkerDescription(new WorkerId("p", 0), "f", 4, 16, 16, 100);
  private static final WorkerSettings SETTINGS = settings("");
  private static final TransferSettings TRANSFER =
      new TransferSettings(9, 9, 9, 3, Duration.ofSeconds(5), Duration.ofMillis(10), 1);
  private static final RequestId ID = new RequestId("r/0");
  private static final RequestId ENGINE_ID = new RequestId("r/0@0!0");
  private static final Duration SOON = Duration.ofMillis(20);

  private final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  private final ManualTime time = ManualTime.get(testKit.system());
  private final TestProbe<EngineActor.Command> engine = testKit.createTestProbe();
  private final TestProbe<DecodeCommand> decode = testKit.createTestProbe();
  private final TestProbe<GrantOutcome> outcomes = testKit.createTestProbe();
  private final TestProbe<Worker.RoleIdle> idle = testKit.createTestProbe();
  private final Arena arena = Arena.ofShared();
  private final AtomicLong nowNs = new AtomicLong();
  private final Queue<Runnable> copies = new ConcurrentLinkedQueue<>();
  private final InProcessBackend backend = new InProcessBackend(copies::add);
  private final TransferAgent sender = agent("sender");
  private final TransferAgent receiver = agent("receiver");
  private final MemorySegment source = arena.allocate(16 * 16);
  private final MemorySegment target = arena.allocate(16 * 16);
  private final int sourceId = sender.register(source, 16);
  private final int targetId = receiver.register(target, 16);
  private final StatsBoard board = new StatsBoard(() -> TransferFigures.NONE);
  private final WorkerGauge gauge =
      new WorkerGauge(WORKER.id(), Set.of(), board, nowNs::get, Duration.ofSeconds(30));
  private ActorRef<PrefillCommand> worker = spawn(true, SETTINGS);

  private static WorkerSettings settings(String overrides) {
    return WorkerSettings.from(
        ConfigFactory.parseString(overrides)
            .withFallback(ConfigFactory.load().getConfig("stator.worker")));
  }

  private TransferAgent agent(String name) {
    return new TransferAgent(name, TRANSFER, backend, nowNs::get, new Random(1));
  }

  private ActorRef<PrefillCommand> spawn(boolean accepts, WorkerSettings settings) {
    final var surroundings =
        new RoleSurroundings(WORKER, engine.ref(), sourceId, sender, gauge, nowNs::get, settings);
    return testKit.spawn(PrefillWorker.create(surroundings, accepts));
  }

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
    sender.close();
    receiver.close();
    arena.close();
  }

  @Test
  void shouldSendBlocksAsTheyGetFullAndLetGoWhenAllAreWritten() {
    for (int i = 0; i < 16; i++) source.asSlice(i * 16, 16).fill((byte) (i + 1));
    final ActorRef<EngineActor.Event> owner = start(1, 8, 9, 10);
    owner.tell(stepped(null, 2, 3)); // The first block is at the decode worker already.
    awaitCopies(1);
    nowNs.addAndGet(1_000_000);
    runCopies(1);
    owner.tell(stepped(null, 4));
    runCopies(1);
    owner.tell(stepped(FinishReason.LENGTH, 5));
    engine.expectNoMessage(SOON);
    runCopies(1);
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
    decode.expectMessage(new PrefillEnded(ID, 0, 0, "all blocks are written"));
    assertEquals(GrantOutcome.Ending.COMPLETE, outcomes.receiveMessage().ending());
    for (int i = 0; i < 3; i++) {
      assertEquals(-1, target.asSlice((8 + i) * 16, 16).mismatch(source.asSlice((3 + i) * 16, 16)));
    }
    assertEquals(48, board.workers().getFirst().transferSentBytes());
    assertTrue(gauge.rates().sentBytesPerSecond() > 0); // 48 bytes in a millisecond, old ones less.
    assertTrue(gauge.rates().sentBytesPerSecond() < 100_000);
    assertIdle();
  }

  @Test
  void shouldGatherBlocksWhileAWriteIsOnItsWay() {
    final ActorRef<EngineActor.Event> owner = start(0, 8, 9, 10);
    owner.tell(stepped(null, 2));
    awaitCopies(1);
    owner.tell(stepped(null, 3));
    owner.tell(stepped(FinishReason.LENGTH, 4));
    engine.expectNoMessage(SOON);
    assertEquals(1, copies.size());
    runCopies(1);
    runCopies(2);
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
  }

  @Test
  void shouldEndWhenTheEngineRefuses() {
    final var take = take(0, 8);
    take.owner()
        .tell(
            new EngineActor.Answered(
                ENGINE_ID, new Admission.Refused("engine.waiting-max", 9, 8, true)));
    decode.expectMessage(new PrefillEnded(ID, 0, 0, "engine.waiting-max is 8, 9 needed"));
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    assertIdle();
  }

  @Test
  void shouldEndWhenItIsNoPrefillWorker() {
    spawn(false, SETTINGS).tell(prefill(grant(8), 0));
    decode.expectMessage(new PrefillEnded(ID, 0, 0, "not a prefill worker any more"));
    engine.expectNoMessage(SOON);
  }

  @Test
  void shouldTryAgainWhenTooMuchIsOnItsWay() {
    final ActorRef<EngineActor.Event> owner = start(0, 8);
    final var other = receiver.grant(targetId, List.of(0, 1, 2), time(1), o -> {}).orElseThrow();
    sender.write(
        other,
        sourceId,
        List.of(new BlockMove(0, 0), new BlockMove(1, 1), new BlockMove(2, 2)),
        outcome -> {});
    owner.tell(stepped(FinishReason.LENGTH, 2));
    for (int i = 0; i < SETTINGS.writeAttemptsMax() + 1; i++) {
      engine.expectNoMessage(SOON);
      time.timePasses(SETTINGS.writeRetryDelay());
    }
    engine.expectNoMessage(SOON);
    runCopies(3);
    time.timePasses(SETTINGS.writeRetryDelay());
    runCopies(1);
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
  }

  @Test
  void shouldWriteInPartsWhenMoreBlocksAreFullThanMayBeOnTheirWay() {
    start(0, 8, 9, 10, 11).tell(stepped(FinishReason.LENGTH, 2, 3, 4, 5));
    runCopies(TRANSFER.inFlightBlocksMax());
    runCopies(1);
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
  }

  @Test
  void shouldWriteInPartsWhenMoreBlocksAreFullThanOneWriteMayHave() {
    worker = spawn(true, settings("write-blocks-max = 2"));
    start(0, 8, 9, 10).tell(stepped(FinishReason.LENGTH, 2, 3, 4));
    runCopies(2);
    runCopies(1);
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
  }

  @Test
  void shouldWriteAndCountOnlyWhatIsMissingWhenItTriesAgain() {
    final ActorRef<EngineActor.Event> owner = start(0, 8, 9);
    owner.tell(stepped(FinishReason.LENGTH, 2, 3));
    awaitCopies(2);
    copies.remove().run();
    nowNs.addAndGet(TRANSFER.writeTimeout().toNanos());
    sender.poll();
    engine.expectNoMessage(SOON);
    copies.remove().run(); // Withdrawn: does nothing.
    time.timePasses(SETTINGS.writeRetryDelay());
    runCopies(1);
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
    assertEquals(2 * 16, board.workers().getFirst().transferSentBytes());
    assertEquals(2 * 16, sender.stats().sentBytes());
  }

  @Test
  void shouldGiveUpWhenNoTryGoesThrough() {
    final ActorRef<EngineActor.Event> owner = start(0, 8, 9);
    owner.tell(stepped(null, 2));
    for (int attempt = 1; attempt <= SETTINGS.writeAttemptsMax(); attempt++) {
      awaitCopies(attempt);
      nowNs.addAndGet(TRANSFER.writeTimeout().toNanos());
      sender.poll();
      if (attempt == SETTINGS.writeAttemptsMax()) break;
      engine.expectNoMessage(SOON);
      time.timePasses(SETTINGS.writeRetryDelay());
    }
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    decode.expectMessage(new PrefillEnded(ID, 0, 0, "write failed: TIMED_OUT"));
    assertIdle();
  }

  @Test
  void shouldGiveUpAtOnceWhenTheGrantHasEnded() {
    final ActorRef<EngineActor.Event> owner = start(0, 8, 9);
    receiver.revoke(0);
    owner.tell(stepped(null, 2));
    runCopies(1);
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    decode.expectMessage(new PrefillEnded(ID, 0, 0, "write failed: UNKNOWN_GRANT"));
  }

  @Test
  void shouldWithdrawTheWriteThenCancelTheEngineWhenCancelled() {
    final ActorRef<EngineActor.Event> owner = start(0, 8, 9);
    owner.tell(stepped(null, 2));
    awaitCopies(1);
    worker.tell(new PrefillCommand.CancelPrefill(new PrefillCommand.Order(ID, 0, 0)));
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    decode.expectMessage(new PrefillEnded(ID, 0, 0, "cancelled"));
    runCopies(1);
    assertEquals(0, receiver.stats().receivedBytes());
    worker.tell(new PrefillCommand.CancelPrefill(new PrefillCommand.Order(ID, 0, 0)));
    engine.expectNoMessage(SOON);
    assertIdle();
  }

  @Test
  void shouldCancelWhileItPausesBetweenTries() {
    final ActorRef<EngineActor.Event> owner = start(0, 8, 9);
    owner.tell(stepped(null, 2));
    awaitCopies(1);
    nowNs.addAndGet(TRANSFER.writeTimeout().toNanos());
    sender.poll();
    engine.expectNoMessage(SOON);
    worker.tell(new PrefillCommand.CancelPrefill(new PrefillCommand.Order(ID, 0, 0)));
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    time.timePasses(SETTINGS.writeRetryDelay());
    assertEquals(1, copies.size(), "no second try");
  }

  @Test
  void shouldCancelWhatItComputesForAWorkerThatIsGone() {
    start(0, 8);
    decode.stop();
    engine.expectMessage(new EngineActor.Cancel(ENGINE_ID));
    assertIdle();
  }

  @Test
  void shouldEndWhenTheEngineFails() {
    final ActorRef<EngineActor.Event> owner = start(0, 8);
    owner.tell(new EngineActor.Broken(List.of(ENGINE_ID), "device"));
    decode.expectMessage(new PrefillEnded(ID, 0, 0, "device"));
    assertIdle();
  }

  @Test
  void shouldIgnoreARepeat() {
    final Grant grant = grant(8);
    worker.tell(prefill(grant, 0));
    worker.tell(prefill(grant, 0));
    assertTrue(engine.receiveMessage() instanceof EngineActor.Take);
    engine.expectNoMessage(SOON);
  }

  @Test
  void shouldTellDecodeWorkersWhatItDoesForThem() {
    final ActorRef<EngineActor.Event> owner = start(0, 8);
    time.timePasses(SETTINGS.reconcileInterval());
    final var order = new PrefillCommand.Order(ID, 0, 0);
    decode.expectMessage(new DecodeCommand.Prefilling(List.of(order), worker));
    owner.tell(stepped(FinishReason.LENGTH, 2));
    runCopies(1);
    decode.expectMessageClass(PrefillEnded.class);
    time.timePasses(SETTINGS.reconcileInterval());
    decode.expectNoMessage(SOON);
  }

  @Test
  void shouldSendWhatIsCachedWhateverItsRoles() {
    worker = spawn(false, SETTINGS);
    final EngineActor.Take take = lend(grant(8, 9, 10));
    take.owner()
        .tell(new EngineActor.Answered(ENGINE_ID, new Admission.Admitted(12, List.of(2, 3, 4))));
    runCopies(2); // The first block is at the decode worker already, the last is cached nowhere.
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
    decode.expectMessage(new PrefillEnded(ID, 0, 0, "all blocks are written"));
    receiver.revoke(0);
    assertEquals(2, outcomes.receiveMessage().contiguousBlocks());
    assertIdle();
  }

  @Test
  void shouldEndAtOnceWhenNothingIsCached() {
    final EngineActor.Take take = lend(grant(8));
    take.owner().tell(new EngineActor.Answered(ENGINE_ID, new Admission.Admitted(0, List.of())));
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
    decode.expectMessageClass(PrefillEnded.class);
    assertIdle();
  }

  @Test
  void shouldMeasureHowMuchOfTheSendingComputingHides() {
    final ActorRef<EngineActor.Event> owner = start(0, 8, 9);
    owner.tell(stepped(null, 2));
    awaitCopies(1);
    nowNs.addAndGet(3_000_000_000L);
    runCopies(1);
    engine.expectNoMessage(SOON);
    owner.tell(stepped(FinishReason.LENGTH, 3));
    awaitCopies(1);
    nowNs.addAndGet(1_000_000_000L);
    runCopies(1);
    engine.expectMessage(new EngineActor.Release(ENGINE_ID));
    decode.expectMessageClass(PrefillEnded.class);
    final WorkerStats stats = board.workers().getFirst();
    assertEquals(4, stats.transferSendSeconds());
    assertEquals(1, stats.transferExposedSeconds());
    assertEquals(0.75, stats.transferHiddenShare());
  }

  private EngineActor.Take lend(Grant grant) {
    final var request = new GenerationRequest(ID, new int[17], 17, SamplingParams.greedy(4), "");
    worker.tell(new PrefillCommand.Prefill(0, request, 1, true, grant, decode.ref()));
    final var take = (EngineActor.Take) engine.receiveMessage();
    assertEquals(EngineActor.Kind.LEND, take.kind());
    return take;
  }

  private void assertIdle() {
    worker.<PrefillWorker.Command>unsafeUpcast().tell(new PrefillWorker.Accept(false, idle.ref()));
    idle.expectMessage(Worker.RoleIdle.PREFILL);
  }

  private ActorRef<EngineActor.Event> start(int firstBlockIndex, Integer... targets) {
    final var take = take(firstBlockIndex, targets);
    final var admitted = new Admission.Admitted(0, List.of());
    take.owner().tell(new EngineActor.Answered(ENGINE_ID, admitted));
    return take.owner();
  }

  private EngineActor.Take take(int firstBlockIndex, Integer... targets) {
    worker.tell(prefill(grant(targets), firstBlockIndex));
    final var take = (EngineActor.Take) engine.receiveMessage();
    assertEquals(EngineActor.Kind.PREFILL, take.kind());
    assertEquals(ENGINE_ID, take.request().id());
    return take;
  }

  private Grant grant(Integer... targets) {
    return receiver.grant(targetId, List.of(targets), time(60), outcomes.ref()::tell).orElseThrow();
  }

  private PrefillCommand.Prefill prefill(Grant grant, int firstBlockIndex) {
    final var request = new GenerationRequest(ID, new int[17], 17, SamplingParams.greedy(4), "");
    return new PrefillCommand.Prefill(0, request, firstBlockIndex, false, grant, decode.ref());
  }

  private static EngineActor.Stepped stepped(FinishReason finish, Integer... fullBlocks) {
    return new EngineActor.Stepped(
        List.of(new StepReport.Progress(ENGINE_ID, List.of(), List.of(fullBlocks), finish, 0)),
        List.of());
  }

  private static Duration time(int seconds) {
    return Duration.ofSeconds(seconds);
  }

  private void awaitCopies(int count) {
    engine.awaitAssert(() -> {
      assertEquals(count, copies.size());
      return null;
    });
  }

  private void runCopies(int count) {
    awaitCopies(count);
    for (int i = 0; i < count; i++) copies.remove().run();
  }
}
