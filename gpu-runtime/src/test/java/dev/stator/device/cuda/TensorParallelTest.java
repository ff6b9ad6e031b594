package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.WeightType;
import dev.stator.testing.Families;
import dev.stator.testing.RandomModels;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TensorParallelTest {
  private static final CudaDeviceSettings SETTINGS =
      CudaDeviceSettings.from(
          ConfigFactory.parseString(
                  "stator.device.cuda { step-tokens-max = 16, memory-share = 1, block-count = 4,"
                      + " attention-bytes = 4096 }")
              .withFallback(ConfigFactory.defaultReference()));
  private static final TensorParallel AUTO = new TensorParallel(TensorParallel.AUTO);

  private static List<CudaGpu> gpus(int count, long bytes) {
    return Collections.nCopies(count, new CudaGpu(0, "GPU", bytes, 90, Optional.empty()));
  }

  private static TensorParallel configured(String value) {
    return TensorParallel.from(
        ConfigFactory.parseString("stator.device.cuda.tensor-parallel = " + value));
  }

  @Test
  void shouldTakeAsManyGpusAsTheModelNeedsOrAreWanted() {
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0)) {
      final long one = TensorParallel.bytesOfRank(model, SETTINGS, 1);
      assertEquals(1, AUTO.degree(model, SETTINGS, gpus(4, one)));
      assertEquals(2, AUTO.degree(model, SETTINGS, gpus(4, one - 1)));
      assertEquals(2, AUTO.degree(model, SETTINGS, gpus(4, 1))); // Of two key/value heads.
      assertEquals(1, AUTO.degree(model, SETTINGS, gpus(1, 1)));
      assertEquals(2, configured("2").degree(model, SETTINGS, gpus(2, one)));
      final var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> configured("3").degree(model, SETTINGS, gpus(2, one)));
      assertEquals(
          "stator.device.cuda.tensor-parallel is 3, but 2 GPUs can be used", e.getMessage());
    }
    try (LoadedModel model = RandomModels.of(mixture(64, 64), 3, WeightType.Q8_0)) {
      final long one = TensorParallel.bytesOfRank(model, SETTINGS, 1);
      assertEquals(2, AUTO.degree(model, SETTINGS, gpus(4, one - 1)));
    }
    assertEquals(AUTO, configured("auto"));
    assertThrows(IllegalArgumentException.class, () -> configured("-1"));
  }

  /** The estimate is not below what a device takes, and not far above. */
  @Test
  void shouldEstimateWhatARankTakes() {
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0);
        CudaDevice device = CudaDevice.create(model, SETTINGS, CudaTests.emulated())) {
      final long length = device.contextLength();
      final long taken =
          device.memoryPlan().terms().stream()
              .filter(term -> !term.what().startsWith("KV pool"))
              .filter(term -> !term.what().startsWith("page-locked"))
              .mapToLong(term -> term.bytes())
              .sum();
      final long blocks = length / CudaDevice.BLOCK_SIZE * device.kvLayout().blockBytes();
      final long estimate = TensorParallel.bytesOfRank(model, SETTINGS, 1) - blocks;
      assertTrue(estimate >= 0.8 * taken && estimate < 1.2 * taken, estimate + ", not " + taken);
    }
  }

  private static String obstacle(ModelConfig config, WeightType type, int degree) {
    try (LoadedModel model = RandomModels.of(config, 3, type)) {
      return Shard.obstacle(config, model.weights(), degree);
    }
  }

  private static ModelConfig mixture(int innerSize, int sharedSize) {
    return Families.experts(new FeedForwardVariant.Experts(4, 2, innerSize, true, sharedSize));
  }

  @Test
  void shouldSayWhyAModelCannotBeCut() {
    assertNull(obstacle(RandomModels.LLAMA, WeightType.Q8_0, 2));
    assertEquals(
        "the model's 2 key/value heads are no multiple of that",
        obstacle(RandomModels.LLAMA, WeightType.Q8_0, 4));
    assertNull(obstacle(Families.mixtral(), WeightType.Q8_0, 2));
    assertEquals(
        "the experts' 32 inner values come in units of 32",
        obstacle(mixture(32, 64), WeightType.Q8_0, 2));
    assertEquals(
        "the shared experts' 32 inner values come in units of 32",
        obstacle(mixture(64, 32), WeightType.Q8_0, 2));
    try (LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0)) {
      final var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Shard.of(RandomModels.LLAMA, model.weights(), 3));
      assertEquals(
          "stator.device.cuda.tensor-parallel is 3, but the model's 2 key/value heads are no"
              + " multiple of that",
          e.getMessage());
    }
  }
}
