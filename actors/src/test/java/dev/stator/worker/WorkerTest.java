package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.engine.Engine;
import dev.stator.engine.EngineSettings;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.HostTierLoad;
import dev.stator.engine.LocalEngine;
import dev.stator.engine.RequestId;
import dev.stator.engine.SampledToken;
import dev.stator.engine.SamplingParams;
import dev.stator.kv.BlockHash;
import dev.stator.kv.BlockHasher;
import dev.stator.kv.KvEvent;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.EngineWork;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerCommand.RolesTaken;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerRole;
import dev.stator.protocol.WorkerUp;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A whole worker on a simulated device; everybody else is a probe. */
@ExtendWith(LogCapturingExtension.class)
class WorkerTest {
  private static final WorkerId ID = new WorkerId("slot", 7);
  private static final EngineSettings ENGINE = new EngineSettings(32, 16, 4, 8, 64, 1000, 64, 1);
  private static final WorkerSettings SETTINGS =
      WorkerSettings.from(
          ConfigFactory.parseString("dump-part-blocks = 3")
              .withFallback(ConfigFactory.load().getConfig("stator.worker")));
  private static final Set<WorkerRole> BOTH = Set.of(WorkerRole.PREFILL, WorkerRole.DECODE);
  private static final int[] PROMPT = new Random(1).ints(21, 0, 50).toArray();

  private final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  private final ManualTime time = ManualTime.get(testKit.system());
  private final TestProbe<RouterCommand> router = testKit.createTestProbe();
  private final TestProbe<CacheCommand> cache = testKit.createTestProbe();
  private final TestProbe<PlannerCommand> planner = testKit.createTestProbe();
  private final TestProbe<WorkerLifecycle> keeper = testKit.createTestProbe();
  private final TestProbe<WorkerAnswer> node = testKit.createTestProbe();
  private final TestProbe<RolesTaken> roles = testKit.createTestProbe();
  private final TestProbe<Object> anyone = testKit.createTestProbe();
  private final StatsBoard board = new StatsBoard(() -> TransferFigures.NONE);
  private final Set<Thread> engineThreads = ConcurrentHashMap.newKeySet();
  private final TransferAgent agent =
      new TransferAgent(
          "agent",
          TransferSettings.from(ConfigFactory.load().getConfig("stator.transport")),
          new InProcessBackend(Runnable::run),
          System::nanoTime,
          new Random(1));

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
    agent.close();
  }

  @Test
  void shouldIntroduceItselfWhenItsEngineIsMade() {
    final ActorRef<WorkerCommand> worker = spawn(this::engine);
    final WorkerUp up = router.expectMessageClass(WorkerUp.class);
    assertEquals(ID, up.description().id());
    assertEquals(4, up.description().blockSize());
    assertEquals(40, up.description().totalBlocks());
    assertEquals(worker, up.worker());
    assertEquals(up, planner.expectMessageClass(WorkerUp.class));
    keeper.expectMessage(new WorkerLifecycle.WorkerStarted(ID, BOTH));
    assertTrue(engineThreads.iterator().next().getName().contains("engine-dispatcher"));
    assertEquals(BOTH, board.workers().getFirst().roles());
    worker.tell(new WorkerCommand.Introduce(anyone.ref().narrow()));
    assertEquals(up, anyone.receiveMessage());
  }

  @Test
  void shouldReportItsLoadEveryInterval() {
    spawn(this::engine);
    router.expectMessageClass(WorkerUp.class);
    planner.expectMessageClass(WorkerUp.class);
    keeper.receiveMessage();
    time.timePasses(SETTINGS.reportInterval());
    assertEquals(40, router.expectMessageClass(WorkerReport.class).load().totalBlocks());
    planner.expectMessageClass(WorkerReport.class);
  }

  @Test
  void shouldReportWhatItsStepsCostToThePlanner() {
    spawn(this::engine);
    final WorkerUp up = router.expectMessageClass(WorkerUp.class);
    generate(up, "r/0", 10);
    for (WorkerAnswer.SequenceTokens last = null; last == null || last.finish() == null; ) {
      last = ((WorkerAnswer.TokenBatch) node.receiveMessage()).sequences().getFirst();
    }
    planner.expectMessageClass(WorkerUp.class);
    planner.awaitAssert(() -> {
      time.timePasses(SETTINGS.reportInterval());
      planner.expectMessageClass(WorkerReport.class);
      final EngineWork work = planner.expectMessageClass(EngineWork.class);
      assertEquals(ID, work.id());
      assertEquals(PROMPT.length, work.steps().p() + 1, "all but the token that was chosen");
      assertEquals(10, work.steps().n());
      assertTrue(work.steps().q() >= 1 && work.steps().steps() >= 10);
      return null;
    });
  }

  @Test
  void shouldNumberItsKvEventsAndDumpWhatTheyComeTo() {
    final ActorRef<WorkerCommand> worker = spawn(this::engine);
    final WorkerUp up = router.expectMessageClass(WorkerUp.class);
    generate(up, "r/0", 10);
    final List<BlockHash> stored = new ArrayList<>();
    long sequence = 0;
    for (WorkerAnswer.SequenceTokens last = null; last == null || last.finish() == null; ) {
      last = ((WorkerAnswer.TokenBatch) node.receiveMessage()).sequences().getFirst();
    }
    final List<BlockHash> prompt =
        new BlockHasher(up.description().fingerprint(), 4).hashAll("", PROMPT);
    while (stored.size() < 7) { // 30 tokens with keys and values.
      final KvBatch batch = router.expectMessageClass(KvBatch.class);
      assertEquals(batch, cache.expectMessageClass(KvBatch.class));
      assertEquals(sequence, batch.firstSequence());
      sequence = batch.nextSequence();
      batch.events().forEach(event -> stored.addAll(((KvEvent.Stored) event).blocks()));
    }
    assertEquals(prompt, stored.subList(0, 5));
    worker.tell(new WorkerCommand.DumpKv(anyone.ref().narrow()));
    final Set<BlockHash> dumped = new HashSet<>();
    for (int part = 0; part < 3; part++) {
      final KvDumpPart dump = (KvDumpPart) anyone.receiveMessage();
      assertEquals(part, dump.partIndex());
      assertEquals(part == 2, dump.last());
      assertEquals(sequence, dump.nextSequence());
      dumped.addAll(dump.blocks());
    }
    assertEquals(Set.copyOf(stored), dumped);
    assertEquals(1, engineThreads.size(), "one thread owns the engine");
  }

  @Test
  void shouldWakeForBlocksThatComeFromTheHostAndSpeakOfThem() {
    final ActorRef<WorkerCommand> worker =
        spawn(() -> new LocalEngine(new TieredSimulation(12, 40), ENGINE, Set.of()));
    final WorkerUp up = router.expectMessageClass(WorkerUp.class);
    generate(up, "r/0", 5);
    final List<SampledToken> expected = answer(0);
    generate(
        up, "s/0", new Random(2).ints(40, 0, 50).toArray(), 5); // Leaves one block of the first.
    answer(0);
    generate(up, "t/0", 5);
    assertEquals(expected, answer(20), "five blocks are not computed again");
    final HostTierLoad tier = board.workers().getFirst().load().hostTier();
    assertEquals(new HostTierLoad(tier.usedBlocks(), 40, tier.storedBlocks(), 4, 1), tier);
    final List<BlockHash> told = new ArrayList<>();
    while (told.size() < tier.usedBlocks()) {
      final KvBatch batch = cache.expectMessageClass(KvBatch.class);
      if (batch.tier() != KvTier.HOST) continue;
      assertEquals(told.isEmpty(), batch.firstSequence() == 0);
      batch.events().forEach(event -> told.addAll(((KvEvent.Stored) event).blocks()));
    }
    worker.tell(new WorkerCommand.DumpKv(anyone.ref().narrow()));
    final Set<BlockHash> dumped = new HashSet<>();
    for (KvDumpPart part = null; part == null || part.tier() == KvTier.DEVICE || !part.last(); ) {
      part = (KvDumpPart) anyone.receiveMessage();
      if (part.tier() == KvTier.HOST) dumped.addAll(part.blocks());
    }
    assertEquals(Set.copyOf(told), dumped);
  }

  /** Whose prompt's first tokens were found, not computed. */
  private List<SampledToken> answer(int cachedTokens) {
    final List<SampledToken> tokens = new ArrayList<>();
    while (true) {
      final var news = ((WorkerAnswer.TokenBatch) node.receiveMessage()).sequences().getFirst();
      assertEquals(cachedTokens, news.cachedTokens());
      tokens.addAll(news.tokens());
      if (news.finish() != null) return tokens;
    }
  }

  @Test
  void shouldFinishWhatRunsWhenItLosesItsRole() {
    final ActorRef<WorkerCommand> worker = spawn(this::engine);
    final WorkerUp up = router.expectMessageClass(WorkerUp.class);
    planner.expectMessageClass(WorkerUp.class);
    generate(up, "r/0", 60);
    worker.tell(new WorkerCommand.TakeRoles(Set.of(WorkerRole.PREFILL), roles.ref()));
    assertEquals(
        Set.of(WorkerRole.PREFILL), planner.expectMessageClass(WorkerReport.class).roles());
    roles.expectMessage(new RolesTaken(ID, Set.of(WorkerRole.PREFILL)));
    assertFalse(tokensInMailbox() < 60, "it answered before its sequence had ended");
    generate(up, "s/0", 5);
    assertEquals("worker.roles", ((WorkerAnswer.Refused) node.receiveMessage()).limit());
    worker.tell(new WorkerCommand.TakeRoles(BOTH, roles.ref()));
    roles.expectMessage(new RolesTaken(ID, BOTH));
    generate(up, "s/0", 5);
    assertInstanceOf(WorkerAnswer.TokenBatch.class, node.receiveMessage());
    assertEquals(BOTH, board.workers().getFirst().roles());
  }

  @Test
  void shouldEndWithAReasonWhenItsEngineCannotBeMade() {
    final ActorRef<WorkerCommand> worker =
        spawn(() -> {
          throw new IllegalStateException("no memory");
        });
    final var failed = (WorkerLifecycle.WorkerFailed) keeper.receiveMessage();
    assertTrue(failed.reason().contains("no memory"), failed.reason());
    anyone.expectTerminated(worker);
    assertTrue(board.workers().isEmpty());
  }

  private Engine engine() {
    final SimulatedDevice device = new SimulatedDevice(40, 4, 50, 200);
    engineThreads.add(Thread.currentThread());
    return new LocalEngine(device, ENGINE, Set.of());
  }

  private ActorRef<WorkerCommand> spawn(Supplier<Engine> engine) {
    return testKit.spawn(
        Worker.create(
            ID,
            BOTH,
            engine,
            new Worker.Peers(router.ref(), cache.ref(), planner.ref(), keeper.ref()),
            new Worker.Tools(agent, board, System::nanoTime, SETTINGS)));
  }

  private void generate(WorkerUp up, String id, int maxTokens) {
    generate(up, id, PROMPT, maxTokens);
  }

  private void generate(WorkerUp up, String id, int[] prompt, int maxTokens) {
    final var request =
        new GenerationRequest(
            new RequestId(id), prompt, prompt.length, SamplingParams.greedy(maxTokens), "");
    up.decode().tell(new DecodeCommand.Generate(0, request, null, node.ref()));
  }

  private int tokensInMailbox() {
    int tokens = 0;
    while (true) {
      final var batch = (WorkerAnswer.TokenBatch) node.receiveMessage(Duration.ofSeconds(5));
      tokens += batch.sequences().getFirst().tokens().size();
      if (batch.sequences().getFirst().finish() != null) return tokens;
    }
  }
}
