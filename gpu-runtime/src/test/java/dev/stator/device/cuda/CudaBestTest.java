package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Sequences;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Likeliest tokens that are found on the device. */
class CudaBestTest {
  private static final int LENGTH = 6;
  private static final int[] FIRST = {0};
  private static final int[] SECOND = {1};

  private final int[] tokens =
      new Random(5).ints(16, 0, RandomModels.LLAMA.vocabularySize()).toArray();
  private final LoadedModel model =
      RandomModels.of(RandomModels.LLAMA, 31, WeightType.Q8_0, WeightType.BF16);
  private CudaDevice device;

  @BeforeEach
  void start() {
    device = CudaDevice.create(model, CudaDeviceTest.SETTINGS, CudaTests.open());
    Sequences.prefill(device, Arrays.copyOf(tokens, LENGTH), FIRST, LENGTH);
    Sequences.prefill(device, Arrays.copyOf(tokens, LENGTH), SECOND, LENGTH);
  }

  @AfterEach
  void end() {
    device.close();
    model.close();
  }

  private StepInput.Slice slice(int[] blocks, int start, int count, boolean bestSuffices) {
    return new StepInput.Slice(tokens, start, count, blocks, count, bestSuffices, null);
  }

  /** As launches, then as a recording, then as a graph. */
  @Test
  void shouldFindTheLikeliestWhetherOrNotTheLogitsAreFetched() {
    for (int at = LENGTH; at < LENGTH + 3; at++) {
      final StepOutput output =
          device.run(
              new StepInput(List.of(slice(FIRST, at, 1, true), slice(SECOND, at, 1, false))));
      final float[] logits = output.logits(1, 0).clone();
      final int best = StepOutput.best(logits);
      assertEquals(best, output.best(0, 0));
      assertEquals(best, output.best(1, 0));
      assertArrayEquals(logits, output.logits(0, 0));
      assertThrows(IllegalArgumentException.class, () -> output.best(0, 1));
    }
  }

  @Test
  void shouldFindOneForEachRowOfDrafts() {
    final StepOutput output =
        device.run(
            new StepInput(List.of(slice(FIRST, LENGTH, 3, true), slice(SECOND, LENGTH, 3, false))));
    for (int row = 0; row < 3; row++) {
      assertEquals(StepOutput.best(output.logits(1, row)), output.best(0, row));
      assertArrayEquals(output.logits(1, row), output.logits(0, row));
    }
  }

  @Test
  void shouldFindItInLogitsThatAreFetchedForAll() {
    final StepOutput output = device.run(new StepInput(List.of(slice(FIRST, LENGTH, 1, false))));
    assertEquals(StepOutput.best(output.logits(0, 0)), output.best(0, 0));
  }
}
