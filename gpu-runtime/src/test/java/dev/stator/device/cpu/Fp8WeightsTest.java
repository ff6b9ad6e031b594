package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.cpu.CpuDeviceSettings.Kernels;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.RandomWeights;
import dev.stator.testing.ReferenceModel;
import dev.stator.testing.Sequences;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** 8-bit floats on the CPU, widened to bf16. */
class Fp8WeightsTest {
  private static final double RELATIVE_ERROR_MAX = 0.01;

  @Test
  void shouldPackWhatItsValuesRoundedToBf16Are() {
    final Random random = new Random(1);
    for (int shape = 0; shape < 6; shape++) {
      final int rows = 1 + random.nextInt(150);
      final int columns = 1 + random.nextInt(300);
      final WeightMatrix source =
          RandomWeights.matrix("w", WeightType.F8_E4M3, rows, columns, 1, random);
      final byte[] rounded = new byte[2 * rows * columns];
      for (int i = 0; i < rows; i++) {
        WeightDecoder.rowAsBf16(source, i, MemorySegment.ofArray(rounded), 2L * i * columns);
      }
      final var plain =
          new WeightMatrix("w", WeightType.BF16, rows, columns, MemorySegment.ofArray(rounded));
      try (Arena arena = Arena.ofConfined()) {
        assertArrayEquals(packed(plain, arena), packed(source, arena));
      }
    }
  }

  private static byte[] packed(WeightMatrix source, Arena arena) {
    final PanelMatrix matrix = Panels.of(source, new KernelChoice());
    matrix.place(arena.allocate(matrix.placeBytes(), 64));
    for (int i = 0; i < matrix.taskCount(); i++) matrix.packTask(i);
    return matrix.data().toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void shouldServeThemNearTheFormulasAndSayWhatTheyBecome() {
    final int[] tokens = {3, 1, 4, 1, 5, 92, 6, 5, 35};
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.F8_E4M3)) {
      final double[] expected = new ReferenceModel(model).logits(tokens);
      try (CpuDevice device =
          CpuDevice.create(model, new CpuDeviceSettings(1, 0, 4, 64, 0, Kernels.AUTO))) {
        final String plan = device.memoryPlan().toString();
        assertTrue(
            plan.contains("F8_E4M3 weights, packed: 16.") && plan.contains(", 8.0 in the file"),
            plan);
        final float[] logits = Sequences.prefill(device, tokens, new int[] {2, 0, 3}, 4);
        double error = 0;
        double square = 0;
        for (int i = 0; i < expected.length; i++) {
          error += Math.pow(logits[i] - expected[i], 2);
          square += expected[i] * expected[i];
        }
        final double relative = Math.sqrt(error / square);
        assertTrue(relative < RELATIVE_ERROR_MAX, "relative error " + relative);
      }
    }
  }
}
