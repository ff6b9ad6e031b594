package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.device.simulated.SimulatedDevice;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;

/** An engine on a device of 32 blocks of 4 tokens, a context of 60, a vocabulary of 50. */
abstract class EngineFixture {
  static final EngineSettings SETTINGS = new EngineSettings(16, 12, 4, 4, 2, 100, 12, 0);
  static final int[] TEN = IntStream.range(10, 20).toArray();
  static final int[] THIRTEEN = IntStream.range(20, 33).toArray();
  static final RequestId A = new RequestId("a");
  static final RequestId B = new RequestId("b");

  final Requests with = new Requests();
  final Map<RequestId, FinishReason> finished = new HashMap<>();
  RecordingDevice device = new RecordingDevice(new SimulatedDevice(32, 4, 50, 60));
  LocalEngine engine = new LocalEngine(device, SETTINGS, Set.of());

  @AfterEach
  void shouldLeaveNothingBehind() {
    for (String id : List.of("a", "b", "c", "d", "e")) engine.cancel(new RequestId(id));
    assertEquals(0, engine.load().usedBlocks());
    assertEquals(0, engine.pinnedBlocks());
    device.close();
  }

  void usePool(int blockCount) {
    device.close();
    device = new RecordingDevice(new SimulatedDevice(blockCount, 4, 50, 60));
    engine = new LocalEngine(device, SETTINGS, Set.of());
  }

  static void assertRefused(
      String limit, long value, long max, boolean passing, Admission admission) {
    assertEquals(new Admission.Refused(limit, value, max, passing), admission);
  }

  Admission submit(String id, int... prompt) {
    return engine.submit(with.request(id, prompt));
  }

  StepReport stepOnce() {
    final StepReport report = engine.step();
    for (StepReport.Progress progress : report.progress()) {
      if (progress.finish() != null) finished.put(progress.id(), progress.finish());
    }
    return report;
  }

  /** How many tokens came. */
  int runToTheEnd() {
    int tokens = 0;
    while (engine.hasWork()) {
      for (StepReport.Progress progress : stepOnce().progress()) tokens += progress.tokens().size();
    }
    return tokens;
  }
}
