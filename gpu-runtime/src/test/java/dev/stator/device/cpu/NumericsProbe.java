package dev.stator.device.cpu;

import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Sequences;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/**
 * Prints a hash of all logits of a random model with every weight and KV type: equal in every JVM.
 */
public final class NumericsProbe {
  private static final ModelConfig CONFIG =
      new ModelConfig(
          "qwen3",
          2, // 16 matrices: one of every type at least.
          256,
          256,
          4,
          4,
          64,
          40,
          64,
          1e-5f,
          10_000f,
          new RopeScaling.None(),
          ModelConfig.RopeLayout.HALVES,
          true,
          true,
          false);
  private static final int TOKENS = 21;

  private NumericsProbe() {}

  public static void main(String[] args) {
    System.out.println(Lanes.COUNT + " lanes: " + hash(CpuDeviceSettings.Kernels.VECTOR));
  }

  /** Of a prompt's chunks of 13 tokens and less, then of single tokens. */
  static String hash(CpuDeviceSettings.Kernels kernels) {
    final int[] tokens = new Random(2).ints(TOKENS, 0, CONFIG.vocabularySize()).toArray();
    final int[] blocks = {1, 0};
    try (LoadedModel model = RandomModels.of(CONFIG, 1, WeightType.values())) {
      final MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (KvType type : KvType.values()) {
        final var settings = new CpuDeviceSettings(1, 0, 2, 16, 0, kernels).withKvType(type);
        try (CpuDevice device = CpuDevice.create(model, settings)) {
          add(digest, Sequences.prefill(device, tokens, blocks, 13));
          add(digest, Sequences.prefill(device, Arrays.copyOf(tokens, 3), blocks, 1));
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void add(MessageDigest digest, float[] logits) {
    final ByteBuffer bytes = ByteBuffer.allocate(4 * logits.length);
    for (float logit : logits) bytes.putFloat(logit);
    digest.update(bytes.array());
  }
}
