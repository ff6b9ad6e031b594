package dev.stator.testing;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.Device;
import dev.stator.engine.Admission;
import dev.stator.engine.EngineLoad;
import dev.stator.engine.EngineSettings;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.HostTierSettings;
import dev.stator.engine.LocalEngine;
import dev.stator.engine.RequestId;
import dev.stator.engine.SamplingParams;
import dev.stator.engine.SpeculationSettings;
import dev.stator.engine.StepReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** An engine with a device's own copies, driven as its actor does: it sleeps until it has work. */
public final class EngineRuns {
  private static final int ANSWER = 3;
  private static final EngineSettings SETTINGS =
      new EngineSettings(
          32, 32, 3, 100, 1, 10_000, 100, 0, SpeculationSettings.OFF, new HostTierSettings(64, 1));

  private EngineRuns() {}

  /** What came of it: tokens of each prompt's answer, and the engine's figures at the end. */
  public record Run(List<List<Integer>> answers, EngineLoad load) {}

  /** Answers prompts, some at a time, the first half before the others. */
  public static Run answer(Device device, List<int[]> prompts) throws InterruptedException {
    final var engine = new LocalEngine(device, SETTINGS, Set.of());
    final var wakeUps = new Semaphore(0);
    engine.onWork(wakeUps::release);
    final Map<String, List<Integer>> answers = new TreeMap<>();
    for (int half = 0; half < 2; half++) {
      int open = 0;
      final int end = half == 0 ? prompts.size() / 2 : prompts.size();
      for (int i = half * (prompts.size() / 2); i < end; i++) {
        submit(engine, name(i), prompts.get(i));
        open++;
      }
      while (open > 0) {
        if (!engine.hasWork()) {
          assertTrue(wakeUps.tryAcquire(30, TimeUnit.SECONDS), "nobody woke the engine");
          continue;
        }
        for (StepReport.Progress progress : engine.step().progress()) {
          final var tokens = answers.computeIfAbsent(progress.id().value(), k -> new ArrayList<>());
          progress.tokens().forEach(token -> tokens.add(token.tokenId()));
          if (progress.finish() != null) open--;
        }
      }
    }
    return new Run(List.copyOf(answers.values()), engine.load());
  }

  private static String name(int index) {
    return "%04d".formatted(index);
  }

  private static void submit(LocalEngine engine, String id, int[] prompt) {
    final var sampling =
        new SamplingParams(
            0.9f, 0, 1, 0, 1, 0, 0, Map.of(), 11, ANSWER, 0, Set.of(), false, false, 0, "");
    final var request =
        new GenerationRequest(new RequestId(id), prompt, prompt.length, sampling, "");
    assertInstanceOf(Admission.Admitted.class, engine.submit(request));
  }
}
