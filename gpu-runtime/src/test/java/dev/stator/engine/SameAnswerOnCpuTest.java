package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.cpu.CpuDevice;
import dev.stator.device.cpu.CpuDeviceSettings;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.TestModels;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Same request, same bytes, with a real model: in any batch, chunk, block and number of threads.
 */
class SameAnswerOnCpuTest {
  private static final int SCENARIOS = 5;
  private static final int PROMPT_MAX = 70;
  private static final int ANSWER_MAX = 50;

  private static final EngineSettings SETTINGS = new EngineSettings(64, 32, 4, 4, 64, 1000, 9, 0);
  private static LoadedModel model;

  @BeforeAll
  static void openModel() {
    model = ModelFiles.open(TestModels.bundled());
  }

  @AfterAll
  static void closeModel() {
    model.close();
  }

  @Test
  void shouldAnswerAsAloneWhenSchedulesAreRandom() {
    for (int seed = 0; seed < SCENARIOS; seed++) {
      final int[] devices = {0};
      final Workload workload = workload(blockCount -> device(1 + devices[0]++ % 2, blockCount));
      try {
        new Scenario(workload, seed, 10).run();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  @Test
  void shouldAnswerAsAloneWhenPreempted() {
    final Workload workload = workload(blockCount -> device(2, blockCount));
    final Requests with = new Requests();
    with.temperature = 1;
    with.maxTokens = ANSWER_MAX;
    with.ignoreEnd = true;
    with.logprobs = true;
    final Map<RequestId, List<SampledToken>> expected = new HashMap<>();
    final Map<RequestId, List<SampledToken>> answers = new HashMap<>();
    try (CpuDevice device = device(2, 9)) {
      final LocalEngine engine = new LocalEngine(device, SETTINGS, Set.of());
      for (int i = 0; i < 4; i++) {
        with.seed = i;
        final int[] prompt = new Random(i).ints(20 + 9 * i, 0, device.vocabularySize()).toArray();
        final GenerationRequest request = with.request("request-" + i, prompt);
        try (CpuDevice other = device(1, 9)) {
          expected.put(request.id(), workload.alone(request, other).tokens());
        }
        answers.put(request.id(), new ArrayList<>());
        engine.submit(request);
      }
      while (engine.hasWork()) {
        for (StepReport.Progress progress : engine.step().progress()) {
          answers.get(progress.id()).addAll(progress.tokens());
        }
      }
      assertTrue(engine.load().preemptions() > 0, "they cannot all fit");
    }
    assertEquals(expected, answers);
  }

  private static Workload workload(Workload.Devices devices) {
    return new Workload(devices, model.defaults().endTokenIds(), PROMPT_MAX, ANSWER_MAX);
  }

  private static CpuDevice device(int threads, int blockCount) {
    final int contextLength = PROMPT_MAX + ANSWER_MAX + 1;
    return CpuDevice.create(
        model,
        new CpuDeviceSettings(
            threads, 0, blockCount, 256, contextLength, CpuDeviceSettings.Kernels.AUTO));
  }
}
