package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.WeightType;
import dev.stator.testing.Sequences;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whole steps by other kernels, as they are measured: right, and gone when they are not asked for.
 */
class StepVariantTest {
  private static final ModelConfig CONFIG = CudaBenchmark.config(1, 512, 768, 4, 2, 64, 96, 256);
  private static final int LENGTH = 73; // Chunks of 24, and one token that is decoded.
  private static final int CHUNK = 24;
  private static final int VARIANTS = 5;

  @ParameterizedTest
  @EnumSource(names = {"BF16", "Q4_K"})
  void shouldDifferByRoundingAloneAndLeaveNothingBehind(WeightType type) {
    final int[] tokens = new Random(5).ints(LENGTH, 0, CONFIG.vocabularySize()).toArray();
    try (LoadedModel model = BenchmarkModel.of(CONFIG, type);
        CudaDevice device =
            CudaDevice.create(model, CudaDeviceTest.SETTINGS, CudaTests.openHopper())) {
      final float[] fixed = logits(device, tokens);
      final double[] expected = new double[fixed.length]; // CudaDeviceTest has the formulas.
      Arrays.setAll(expected, i -> fixed[i]);
      boolean differs = false;
      for (int i = 0; i < VARIANTS; i++) {
        final int index = i * 7 + 3;
        final MatmulVariant.Choice choice =
            (matrix, count) -> {
              final List<MatmulVariant> all =
                  MatmulVariant.candidates(
                      matrix.type(), matrix.rows(), matrix.columns(), count, false);
              return all.get(index % all.size());
            };
        device.vary(new StepVariant(64 * (i % 3), choice, i % 3 * 512));
        final float[] varied = logits(device, tokens);
        CudaDeviceTest.assertClose(expected, varied);
        differs |= !Arrays.equals(fixed, varied);
      }
      assertTrue(differs);
      device.vary(StepVariant.FIXED);
      assertArrayEquals(fixed, logits(device, tokens));
    }
  }

  private static float[] logits(CudaDevice device, int... tokens) {
    final int[] blocks = Sequences.blocks(0, tokens.length);
    return Sequences.prefill(device, tokens, blocks, CHUNK).clone();
  }
}
