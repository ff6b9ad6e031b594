package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Sequences;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which devices use wgmma, and that no answer shows it. */
class WgmmaProbeTest {
  private static final int PROMPT = 200;
  private static final String PROBE = "matmul_bf16_wgmma";
  private static final String PRODUCT = "matmul_q8_0_wgmma";

  private final LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0);
  private final int[] tokens =
      new Random(6).ints(PROMPT, 0, RandomModels.LLAMA.vocabularySize()).toArray();

  @AfterEach
  void close() {
    model.close();
  }

  private static CudaDeviceSettings settings(String wgmma) {
    return CudaDeviceSettings.from(
        ConfigFactory.parseString(
                "stator.device.cuda { wgmma = %s, block-count = 20, step-tokens-max = 200 }"
                    .formatted(wgmma))
            .withFallback(ConfigFactory.load()));
  }

  private record Answer(String fingerprint, float[] logits, String memory) {}

  private Answer answer(EmulatedDriver driver, String wgmma, int chunk) {
    try (CudaDevice device = CudaDevice.create(model, settings(wgmma), driver)) {
      return new Answer(
          device.numericsFingerprint(),
          Sequences.prefill(device, tokens, Sequences.blocks(0, PROMPT), chunk),
          device.memoryPlan().toString());
    }
  }

  private static EmulatedDriver emulated(EmulatedDriver.Kind kind) {
    return CudaTests.emulated(kind);
  }

  @Test
  void shouldAnswerTheSameByEitherInstruction() {
    final EmulatedDriver asked = emulated(EmulatedDriver.Kind.HOPPER);
    final Answer answer = answer(asked, "auto", PROMPT);
    final int layers = RandomModels.LLAMA.layerCount();
    assertEquals(1, asked.launches(PROBE));
    assertTrue(asked.launches(PRODUCT) >= 4 * layers, "products by wgmma");
    assertEquals(4 * layers + 1, asked.launches("pack_tokens"), "each input once");
    assertTrue(answer.memory.contains("packed inputs for 200 tokens"), answer.memory);

    final EmulatedDriver never = emulated(EmulatedDriver.Kind.HOPPER);
    final Answer without = answer(never, "never", 67);
    assertEquals(0, never.launches(PROBE) + never.launches(PRODUCT));
    assertArrayEquals(without.logits, answer.logits);
    assertEquals(without.fingerprint, answer.fingerprint);
  }

  @Test
  void shouldStayWithOneInstructionWhenTheOtherGivesOtherBits() {
    final EmulatedDriver other = emulated(EmulatedDriver.Kind.HOPPER_OF_OTHER_BITS);
    final Answer answer = answer(other, "auto", PROMPT);
    assertEquals(1, other.launches(PROBE));
    assertEquals(0, other.launches(PRODUCT));
    assertTrue(!answer.memory.contains("packed"), answer.memory);
  }

  @Test
  void shouldAskNoOtherDevice() {
    final EmulatedDriver ampere = emulated(EmulatedDriver.Kind.AMPERE);
    try (CudaDevice device = CudaDevice.create(model, settings("auto"), ampere)) {
      assertTrue(device.numericsFingerprint().contains("sm80"));
      assertEquals(0, ampere.launches(PROBE));
    }
  }

  @Test
  void shouldRefuseASettingThatIsNeither() {
    final var e = assertThrows(IllegalArgumentException.class, () -> settings("always"));
    assertEquals("stator.device.cuda.wgmma is always, expected auto or never", e.getMessage());
  }
}
