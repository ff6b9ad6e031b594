package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.simulated.SimulatedDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LocalEngineTest {
  private static final EngineSettings SETTINGS = new EngineSettings(32, 16, 4, 8, 1000, 100, 1);

  @Test
  void shouldAnswerWhenAskedTwice() {
    try (SimulatedDevice device = new SimulatedDevice(16, 4, 50, 60)) {
      final LocalEngine engine = new LocalEngine(device, SETTINGS, Set.of());
      final List<Integer> first = answer(engine, "first");
      final List<Integer> second = answer(engine, "second");
      assertEquals(20, first.size());
      assertEquals(first, second);
      assertEquals(0, engine.load().usedBlocks());
      assertTrue(engine.load().prefixHitTokens() > 0);
      assertFalse(engine.hasWork());
    }
  }

  private static List<Integer> answer(LocalEngine engine, String id) {
    final int[] prompt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    engine.submit(
        new GenerationRequest(new RequestId(id), prompt, 10, SamplingParams.greedy(20), ""));
    final List<Integer> tokens = new ArrayList<>();
    while (engine.hasWork()) {
      for (StepReport.Progress progress : engine.step().progress()) {
        progress.tokens().forEach(token -> tokens.add(token.tokenId()));
      }
    }
    return tokens;
  }
}
