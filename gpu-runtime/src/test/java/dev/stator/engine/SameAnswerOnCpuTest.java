package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.cpu.CpuDevice;
import dev.stator.device.cpu.CpuDeviceSettings;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.TestModels;
import org.junit.jupiter.api.Test;

/**
 * Same request, same bytes, with a real model: in any batch, chunk, block and number of threads.
 */
class SameAnswerOnCpuTest {
  private static final int SCENARIOS = 6;
  private static final int PROMPT_MAX = 100;
  private static final int ANSWER_MAX = 24;

  @Test
  void shouldAnswerAsAloneWhenSchedulesAreRandom() {
    try (LoadedModel model = ModelFiles.open(TestModels.bundled())) {
      int preemptions = 0;
      for (int seed = 0; seed < SCENARIOS; seed++) {
        final int[] devices = {0};
        final Workload workload =
            new Workload(
                blockCount -> device(model, 1 + devices[0]++ % 2, blockCount),
                model.defaults().endTokenIds(),
                PROMPT_MAX,
                ANSWER_MAX);
        try {
          final Scenario scenario = new Scenario(workload, seed, 10);
          scenario.run();
          preemptions += scenario.preemptions;
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
        }
      }
      assertTrue(preemptions > 0, "some scenario must run out of blocks");
    }
  }

  private static CpuDevice device(LoadedModel model, int threads, int blockCount) {
    final int contextLength = PROMPT_MAX + ANSWER_MAX + 1;
    return CpuDevice.create(
        model, new CpuDeviceSettings(threads, 0, blockCount, 256, contextLength));
  }
}
