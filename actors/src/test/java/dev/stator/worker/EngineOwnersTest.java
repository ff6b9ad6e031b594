package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.Device;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.engine.Admission;
import dev.stator.engine.EngineLoad;
import dev.stator.engine.EngineSettings;
import dev.stator.engine.FinishReason;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.LocalEngine;
import dev.stator.engine.RequestId;
import dev.stator.engine.SamplingParams;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.WorkerId;
import dev.stator.transport.BlockGeometry;
import dev.stator.transport.BlockMemory;
import dev.stator.transport.BlockMove;
import dev.stator.transport.Grant;
import dev.stator.transport.GrantOutcome;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.WriteOutcome;
import java.lang.foreign.Arena;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** No block is held for an owner that is gone, and none is free while somebody may touch it. */
@ExtendWith(LogCapturingExtension.class)
class EngineOwnersTest {
  private static final RequestId ID = new RequestId("r");
  private static final RequestId OTHER = new RequestId("s");
  private static final int BLOCK_SIZE = 4;
  private static final int PROMPT_BLOCKS = 5;
  private static final EngineSettings TWO_BLOCKS_A_STEP =
      new EngineSettings(8, 8, 8, 8, 64, 4096, 64, 0);
  private static final Duration LONG = Duration.ofMinutes(1);

  private final ActorTestKit testKit = ActorTestKit.create();
  private final TestProbe<EngineActor.Event> owner = testKit.createTestProbe();
  private final TestProbe<EngineActor.Event> otherOwner = testKit.createTestProbe();
  private final TestProbe<EngineActor.Notice> worker = testKit.createTestProbe();
  private final TestProbe<GrantOutcome> grantOutcomes = testKit.createTestProbe();
  private final StatsBoard board = new StatsBoard(() -> TransferFigures.NONE);
  private final Arena arena = Arena.ofShared();
  private final InProcessBackend backend = new InProcessBackend(Runnable::run);
  private final TransferAgent agent = agent("agent");
  private final TransferAgent peer = agent("peer");
  private final int peerMemoryId = peer.register(blocks());
  private final Semaphore steps = new Semaphore(0);
  private final AtomicBoolean fails = new AtomicBoolean();
  private final AtomicReference<Runnable> onBlock = new AtomicReference<>(() -> {});
  private final ActorRef<EngineActor.Command> engine =
      testKit.spawn(
          EngineActor.create(
              () -> new LocalEngine(device(), TWO_BLOCKS_A_STEP, Set.of()),
              new EngineActor.Surroundings(
                  new WorkerId("slot", 0),
                  agent,
                  new WorkerGauge(
                      new WorkerId("slot", 0),
                      Set.of(),
                      board,
                      System::nanoTime,
                      Duration.ofSeconds(30)),
                  System::nanoTime,
                  3,
                  worker.ref())));
  private final EngineActor.Started started = worker.expectMessageClass(EngineActor.Started.class);
  private final int memoryId = started.memoryId();

  private TransferAgent agent(String name) {
    return new TransferAgent(
        name,
        TransferSettings.from(ConfigFactory.load().getConfig("stator.transport")),
        backend,
        System::nanoTime,
        new Random(1));
  }

  private static SimulatedDevice simulated() {
    return new SimulatedDevice(16, BLOCK_SIZE, 50, 60);
  }

  /** Blocks as the engine's are. */
  private BlockMemory blocks() {
    try (SimulatedDevice device = simulated()) {
      final long blockBytes = device.kvLayout().blockBytes();
      final var geometry = new BlockGeometry(blockBytes, device.kvLayout().toString());
      return BlockMemory.of(arena.allocate(64 * blockBytes), geometry);
    }
  }

  /** Runs a step when it may, fails when it shall, tells when somebody takes a block's bytes. */
  private Device device() {
    final SimulatedDevice device = simulated();
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("block")) onBlock.get().run();
              if (method.getName().equals("run")) {
                assertTrue(steps.tryAcquire(10, TimeUnit.SECONDS), "the test allows no step");
                if (fails.get()) throw new IllegalStateException("the device fails, as told");
              }
              try {
                return method.invoke(device, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @AfterEach
  void shutDown() {
    steps.release(1000);
    testKit.shutdownTestKit();
    agent.close();
    peer.close();
    arena.close();
  }

  @Test
  void shouldFreeAFailedPrefillsBlocksWhenItsOwnerDies() {
    take(EngineActor.Kind.PREFILL, ID, owner);
    fails.set(true);
    steps.release();
    assertEquals(List.of(ID), owner.expectMessageClass(EngineActor.Broken.class).ids());
    assertEquals(PROMPT_BLOCKS, load().usedBlocks());
    owner.stop();
    awaitUsedBlocks(0);
  }

  @Test
  void shouldFreeThePromptsBlocksWhenThePrefillWorkerDies() {
    final TestProbe<DecodeCommand> decode = testKit.createTestProbe();
    final var surroundings =
        new RoleSurroundings(
            started.description(),
            engine,
            memoryId,
            agent,
            new WorkerGauge(
                started.description().id(),
                Set.of(),
                new StatsBoard(() -> TransferFigures.NONE),
                System::nanoTime,
                Duration.ofSeconds(30)),
            System::nanoTime,
            WorkerSettings.from(ConfigFactory.load().getConfig("stator.worker")));
    final ActorRef<PrefillCommand> prefill =
        testKit.spawn(PrefillWorker.create(surroundings, true));
    final Grant grant =
        peer.grant(peerMemoryId, List.of(0, 1, 2, 3, 4), LONG, outcome -> {}).orElseThrow();
    prefill.tell(new PrefillCommand.Prefill(0, request(ID), 0, false, grant, decode.ref()));
    steps.release();
    awaitUsedBlocks(PROMPT_BLOCKS);
    testKit.stop(prefill);
    steps.release(1000); // The engine hears of it between two steps.
    awaitUsedBlocks(0);
  }

  @Test
  void shouldKeepAFailedPrefillsBlocksUntilItsOwnerCancels() {
    take(EngineActor.Kind.PREFILL, ID, owner);
    fails.set(true);
    steps.release();
    owner.expectMessageClass(EngineActor.Broken.class);
    otherOwner.stop();
    assertEquals(PROMPT_BLOCKS, load().usedBlocks());
    engine.tell(new EngineActor.Cancel(ID));
    awaitUsedBlocks(0);
  }

  @Test
  void shouldFreeAFinishedPrefillsBlocksWhenItsOwnerDies() {
    prefillAll();
    assertEquals(PROMPT_BLOCKS, load().usedBlocks());
    owner.stop();
    awaitUsedBlocks(0);
  }

  @Test
  void shouldEndTheAnswersOfADeadOwnerAloneWhenTwoHaveSome() {
    take(EngineActor.Kind.GENERATE, ID, owner);
    ask(EngineActor.Kind.GENERATE, OTHER, otherOwner);
    owner.stop();
    steps.release(1000);
    otherOwner.expectMessageClass(EngineActor.Answered.class);
    FinishReason finish = null;
    while (finish == null) {
      finish =
          otherOwner.expectMessageClass(EngineActor.Stepped.class).progress().getFirst().finish();
    }
    awaitUsedBlocks(0);
    assertEquals(0, load().runningSequences() + load().waitingSequences());
  }

  @Test
  void shouldEndWhatADeadOwnerAskedFor() {
    otherOwner.stop();
    ask(EngineActor.Kind.RESERVE, OTHER, otherOwner);
    take(EngineActor.Kind.RESERVE, ID, owner);
    engine.tell(new EngineActor.Cancel(ID));
    awaitUsedBlocks(0);
  }

  @Test
  void shouldRevokeTheGrantBeforeReservedBlocksAreFreeWhenTheOwnerDies() {
    final List<Integer> blocks = take(EngineActor.Kind.RESERVE, ID, owner).blocksToFill();
    grant(blocks);
    owner.stop();
    assertEquals(GrantOutcome.Ending.REVOKED, grantOutcomes.receiveMessage().ending());
    awaitUsedBlocks(0);
  }

  @Test
  void shouldKeepReservedBlocksWhileOneIsBeingWrittenWhenTheOwnerDies() {
    final List<Integer> blocks = take(EngineActor.Kind.RESERVE, ID, owner).blocksToFill();
    final Grant grant = grant(blocks);
    onBlock.set(() -> {
      onBlock.set(() -> {});
      owner.stop();
      owner.awaitAssert(() -> {
        assertEquals(TransferStatus.UNKNOWN_GRANT, write(grant, blocks.get(1)));
        return null;
      });
      assertEquals(PROMPT_BLOCKS + 1, load().usedBlocks());
      grantOutcomes.expectNoMessage(Duration.ofMillis(20));
    });
    assertEquals(TransferStatus.OK, write(grant, blocks.getFirst()));
    grantOutcomes.receiveMessage();
    awaitUsedBlocks(0);
  }

  @Test
  void shouldFreeReservedBlocksWhenTheOwnerDiesAfterTheirResume() {
    take(EngineActor.Kind.RESERVE, ID, owner);
    engine.tell(new EngineActor.Resume(ID, 0));
    owner.stop();
    steps.release(1000);
    awaitUsedBlocks(0);
  }

  @Test
  void shouldKeepAPrefillsBlocksWhileOneIsBeingReadWhenTheOwnerDies() {
    final List<Integer> blocks = prefillAll();
    final TestProbe<WriteOutcome> writeOutcomes = testKit.createTestProbe();
    final Grant grant = peer.grant(peerMemoryId, List.of(0, 1), LONG, outcome -> {}).orElseThrow();
    onBlock.set(() -> {
      onBlock.set(() -> {});
      owner.stop();
      owner.awaitAssert(() -> {
        assertEquals(1, agent.stats().inFlightBlocks());
        return null;
      });
      assertEquals(PROMPT_BLOCKS, load().usedBlocks());
      writeOutcomes.expectNoMessage(Duration.ofMillis(20));
    });
    agent.write(
        grant,
        memoryId,
        List.of(new BlockMove(blocks.getFirst(), 0)),
        outcome -> writeOutcomes.ref().tell(outcome));
    writeOutcomes.receiveMessage();
    awaitUsedBlocks(0);
  }

  private Admission.Admitted take(
      EngineActor.Kind kind, RequestId id, TestProbe<EngineActor.Event> probe) {
    ask(kind, id, probe);
    return (Admission.Admitted) probe.expectMessageClass(EngineActor.Answered.class).admission();
  }

  private void ask(EngineActor.Kind kind, RequestId id, TestProbe<EngineActor.Event> probe) {
    engine.tell(new EngineActor.Take(kind, request(id), probe.ref()));
  }

  private static GenerationRequest request(RequestId id) {
    final int[] prompt = IntStream.rangeClosed(0, PROMPT_BLOCKS * BLOCK_SIZE).toArray();
    prompt[0] = id.value().charAt(0) % 50; // Nothing shared.
    return new GenerationRequest(id, prompt, prompt.length, SamplingParams.greedy(3), "");
  }

  /** The blocks of a finished prefill that nobody has let go of. */
  private List<Integer> prefillAll() {
    take(EngineActor.Kind.PREFILL, ID, owner);
    steps.release(3);
    final List<Integer> blocks = new ArrayList<>();
    while (blocks.size() < PROMPT_BLOCKS) {
      final var stepped = owner.expectMessageClass(EngineActor.Stepped.class);
      blocks.addAll(stepped.progress().getFirst().fullBlocks());
    }
    return blocks;
  }

  private Grant grant(List<Integer> blocks) {
    return agent
        .grant(memoryId, blocks, LONG, outcome -> grantOutcomes.ref().tell(outcome))
        .orElseThrow();
  }

  private TransferStatus write(Grant grant, int target) {
    final AtomicReference<TransferStatus> status = new AtomicReference<>();
    peer.write(
        grant,
        peerMemoryId,
        List.of(new BlockMove(0, target)),
        outcome -> status.set(outcome.status()));
    return status.get();
  }

  private EngineLoad load() {
    return board.workers().getFirst().load();
  }

  private void awaitUsedBlocks(int count) {
    owner.awaitAssert(() -> {
      assertEquals(count, load().usedBlocks());
      return null;
    });
  }
}
