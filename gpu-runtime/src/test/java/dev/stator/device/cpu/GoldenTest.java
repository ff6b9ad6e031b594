package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.TestModels;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The trained model's answers, against those that PyTorch computed. */
class GoldenTest {
  private static final CpuDeviceSettings SETTINGS = new CpuDeviceSettings(2, 0, 40, 512, 0, CpuDeviceSettings.Kernels.VECTOR);
  private static final int END = 2047;

  @Test
  void shouldGiveGoldenLogitsAndAnswersFromBfloat16Weights() throws Exception {
    final Path path = TestModels.tinyHuggingFace();
    try (LoadedModel model = ModelFiles.open(path);
        CpuDevice device = CpuDevice.create(model, SETTINGS)) {
      for (Golden golden : Golden.all()) {
        final int[] blocks = Sequences.blocks(0, golden.prompt().length);
        final float[] logits = Sequences.prefill(device, golden.prompt(), blocks, 512);
        for (int i = 0; i < golden.topIds().length; i++) {
          assertEquals(golden.topLogits()[i], logits[golden.topIds()[i]], 2e-3f, golden.name());
        }
        final int count = golden.greedy().length;
        assertArrayEquals(
            golden.greedy(), Sequences.greedy(device, golden.prompt(), count, END), golden.name());
      }
    }
  }
}
