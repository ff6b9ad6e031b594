package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.Device;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.engine.Admission;
import dev.stator.engine.Engine;
import dev.stator.engine.EngineLoad;
import dev.stator.engine.EngineSettings;
import dev.stator.engine.FinishReason;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.LocalEngine;
import dev.stator.engine.RequestId;
import dev.stator.engine.SamplingParams;
import dev.stator.engine.StepReport;
import dev.stator.protocol.WorkerId;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LogCapturingExtension.class)
class EngineActorTest {
  private static final RequestId FIRST = new RequestId("first");
  private static final RequestId SECOND = new RequestId("second");

  private final ActorTestKit testKit = ActorTestKit.create();
  private final TestProbe<EngineActor.Event> owner = testKit.createTestProbe();
  private final TestProbe<EngineActor.Event> otherOwner = testKit.createTestProbe();
  private final TestProbe<EngineActor.Notice> worker = testKit.createTestProbe();
  private final StatsBoard board = new StatsBoard(() -> TransferFigures.NONE);
  private final RecordingEngine engine = new RecordingEngine();
  private final TransferAgent agent =
      new TransferAgent(
          "agent",
          TransferSettings.from(ConfigFactory.load().getConfig("stator.transport")),
          new InProcessBackend(Runnable::run),
          System::nanoTime,
          new Random(1));
  private final ActorRef<EngineActor.Command> actor =
      testKit.spawn(
          EngineActor.create(
              () -> engine,
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

  /** What a step does instead of giving tokens. */
  private enum Turn {
    FAIL,
    EVENTS_ONLY
  }

  /** Notes its calls; a step gives every sequence a token, and waits for the test when told to. */
  private static final class RecordingEngine implements Engine {
    final SimulatedDevice device = new SimulatedDevice(4, 4, 10, 10);
    final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    final List<RequestId> running = Collections.synchronizedList(new ArrayList<>());
    final Queue<Turn> turns = new ConcurrentLinkedQueue<>(); // Of the first steps.
    final CountDownLatch stepped = new CountDownLatch(1);
    final CountDownLatch go = new CountDownLatch(1);

    @Override
    public Device device() {
      return device;
    }

    @Override
    public Admission submit(GenerationRequest request) {
      calls.add("submit " + request.id());
      running.add(request.id());
      return new Admission.Admitted(0, List.of());
    }

    @Override
    public Admission prefill(GenerationRequest request) {
      calls.add("prefill " + request.id());
      return new Admission.Admitted(0, List.of());
    }

    @Override
    public Admission lend(GenerationRequest request) {
      calls.add("lend " + request.id());
      return new Admission.Admitted(0, List.of());
    }

    @Override
    public Admission reserve(GenerationRequest request) {
      calls.add("reserve " + request.id());
      return new Admission.Refused("engine.blocks", 2, 1, true);
    }

    @Override
    public void resume(RequestId id, int filledBlockCount) {
      calls.add("resume " + id + " " + filledBlockCount);
    }

    @Override
    public void release(RequestId id) {
      calls.add("release " + id);
    }

    @Override
    public boolean cancel(RequestId id) {
      calls.add("cancel " + id);
      return running.remove(id);
    }

    @Override
    public boolean hasWork() {
      return !running.isEmpty();
    }

    @Override
    public StepReport step() {
      calls.add("step " + running);
      stepped.countDown();
      try {
        assertTrue(go.await(10, TimeUnit.SECONDS));
      } catch (InterruptedException stopped) {
        throw new IllegalStateException(stopped);
      }
      final Turn turn = turns.poll();
      if (turn == Turn.FAIL) return stepOnAClosedDevice();
      if (turn == Turn.EVENTS_ONLY) {
        return new StepReport(List.of(), List.of(), List.of(), List.of(), 0, 0, 0, 0);
      }
      final List<StepReport.Progress> progress = new ArrayList<>();
      for (RequestId id : List.copyOf(running)) {
        progress.add(new StepReport.Progress(id, List.of(), List.of(), FinishReason.LENGTH, 0));
      }
      running.clear();
      return new StepReport(
          progress, List.of(), List.of(), List.of(), 0, progress.size(), 0, progress.size());
    }

    private static StepReport stepOnAClosedDevice() {
      final var closed = new SimulatedDevice(4, 4, 10, 10);
      closed.close();
      final var broken =
          new LocalEngine(closed, new EngineSettings(24, 8, 8, 16, 64, 4096, 64, 1), Set.of());
      broken.submit(request(FIRST));
      return broken.step();
    }

    @Override
    public EngineLoad load() {
      return new EngineLoad(running.size(), 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0);
    }
  }

  @AfterEach
  void shutDown() {
    engine.go.countDown();
    testKit.shutdownTestKit();
  }

  @Test
  void shouldTakeCommandsBetweenStepsSoThatACancelComesBeforeTheNext() throws Exception {
    take(EngineActor.Kind.GENERATE, FIRST, owner);
    assertTrue(engine.stepped.await(10, TimeUnit.SECONDS));
    take(EngineActor.Kind.GENERATE, SECOND, owner);
    actor.tell(new EngineActor.Cancel(SECOND));
    actor.tell(new EngineActor.Release(FIRST));
    engine.go.countDown();
    awaitCalls(
        List.of("submit first", "step [first]", "submit second", "cancel second", "release first"));
  }

  @Test
  void shouldTellEachOwnerItsOwnNews() throws Exception {
    take(EngineActor.Kind.GENERATE, FIRST, owner);
    assertTrue(engine.stepped.await(10, TimeUnit.SECONDS));
    take(EngineActor.Kind.GENERATE, SECOND, otherOwner);
    engine.go.countDown();
    owner.expectMessage(new EngineActor.Answered(FIRST, new Admission.Admitted(0, List.of())));
    final var stepped = (EngineActor.Stepped) owner.receiveMessage();
    assertEquals(FIRST, stepped.progress().getFirst().id());
    otherOwner.receiveMessage();
    assertEquals(
        SECOND, ((EngineActor.Stepped) otherOwner.receiveMessage()).progress().getFirst().id());
  }

  @Test
  void shouldPassOnEveryCommand() {
    take(EngineActor.Kind.RESERVE, FIRST, owner);
    owner.expectMessage(
        new EngineActor.Answered(FIRST, new Admission.Refused("engine.blocks", 2, 1, true)));
    take(EngineActor.Kind.PREFILL, SECOND, owner);
    actor.tell(new EngineActor.Resume(FIRST, 3));
    awaitCalls(List.of("reserve first", "prefill second", "resume first 3"));
  }

  @Test
  void shouldCloseTheDeviceAndLeaveTheTransferLayerWhenItEnds() {
    worker.expectMessageClass(EngineActor.Started.class);
    assertEquals(1, board.workers().size());
    testKit.stop(actor);
    assertTrue(board.workers().isEmpty());
    assertThrows(IllegalStateException.class, () -> engine.device.block(0).fill((byte) 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> agent.grant(0, List.of(1), Duration.ofSeconds(1), outcome -> {}));
  }

  @Test
  void shouldEndWhenTheDeviceKeepsFailingBetweenStepsThatDoNotUseIt() {
    engine.turns.addAll(
        List.of(Turn.FAIL, Turn.EVENTS_ONLY, Turn.FAIL, Turn.EVENTS_ONLY, Turn.FAIL));
    engine.go.countDown();
    take(EngineActor.Kind.GENERATE, FIRST, owner);
    worker.expectTerminated(actor, Duration.ofSeconds(10));
  }

  private void take(EngineActor.Kind kind, RequestId id, TestProbe<EngineActor.Event> probe) {
    actor.tell(new EngineActor.Take(kind, request(id), probe.ref()));
  }

  private static GenerationRequest request(RequestId id) {
    return new GenerationRequest(id, new int[] {1, 2}, 2, SamplingParams.greedy(3), "");
  }

  private void awaitCalls(List<String> calls) {
    owner.awaitAssert(() -> {
      assertEquals(calls, List.copyOf(engine.calls));
      return null;
    });
  }
}
