package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightType;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.Golden;
import dev.stator.testing.ReferenceModel;
import dev.stator.testing.Sequences;
import dev.stator.testing.TestModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The trained model's answers, against those that PyTorch computed from the bfloat16 weights. */
class GoldenTest {
  private static final CpuDeviceSettings SETTINGS =
      new CpuDeviceSettings(2, 0, 40, 512, 0, CpuDeviceSettings.Kernels.VECTOR);
  private static final CpuDeviceSettings NATIVE =
      new CpuDeviceSettings(2, 0, 40, 512, 0, CpuDeviceSettings.Kernels.NATIVE);
  private static final int END = 2047;

  @Test
  void shouldGiveGoldenLogitsAndAnswersFromBfloat16Weights() throws IOException {
    try (LoadedModel model = ModelFiles.open(TestModels.tinyHuggingFace());
        CpuDevice device = CpuDevice.create(model, SETTINGS)) {
      for (Golden golden : Golden.all()) {
        assertTrue(logitError(device, golden) < 2e-3, golden.name());
        assertArrayEquals(golden.greedy(), answer(device, golden), golden.name());
      }
    }
  }

  /**
   * Quantization moves logits; how far is the format's affair, {@link #shouldAgreeWithTheFormulas}
   * is the device's.
   */
  @ParameterizedTest
  @CsvSource({
    "f16, 8, 0.002",
    "q8_0, 6, 0.1",
    "q6_k, 4, 0.5",
    "q5_k_m, 4, 0.7",
    "q4_k_m, 4, 0.9",
    "q4_0, 4, 1.8"
  })
  void shouldAnswerMostlyAlikeFromQuantizedWeights(String type, int answersMin, float logitErrorMax)
      throws IOException {
    try (LoadedModel model = ModelFiles.open(TestModels.tinyGguf("stator-tiny-" + type + ".gguf"));
        CpuDevice device = CpuDevice.create(model, SETTINGS)) {
      checkAnswers(device, Golden.all(), answersMin, logitErrorMax);
    }
  }

  /** The bundled model, requantized: types that it has no file of. */
  @ParameterizedTest
  @CsvSource({"Q5_1, 5, 0.7", "Q5_0, 4, 0.9", "Q4_1, 4, 1.2", "IQ4_NL, 4, 1.8", "Q3_K, 1, 3.5"})
  void shouldAnswerMostlyAlikeFromRequantizedWeights(
      WeightType type, int answersMin, float logitErrorMax) throws IOException {
    final List<Golden> all = Golden.all();
    try (LoadedModel model = Requantized.of(TestModels.openBundled(), type);
        CpuDevice device = CpuDevice.create(model, SETTINGS)) {
      checkAnswers(device, all, answersMin, logitErrorMax);
    }
  }

  /** Native kernels round the inputs of projections to 8 bits, for BF16 weights to 16. */
  @ParameterizedTest
  @CsvSource({
    "bf16, 6, 0.2",
    "q8_0, 6, 0.4",
    "q6_k, 4, 0.6",
    "q5_k_m, 4, 0.8",
    "q4_k_m, 4, 1.0",
    "q4_0, 4, 1.8"
  })
  void shouldAnswerMostlyAlikeFromRoundedInputs(String type, int answersMin, float logitErrorMax)
      throws IOException {
    final NativeKernels.Found found = NativeKernels.find();
    assumeTrue(found.kernels() != null, "needs native kernels: " + found.obstacle());
    final Path file =
        type.equals("bf16")
            ? TestModels.tinyHuggingFace()
            : TestModels.tinyGguf("stator-tiny-" + type + ".gguf");
    try (LoadedModel model = ModelFiles.open(file);
        CpuDevice device = CpuDevice.create(model, NATIVE)) {
      checkAnswers(device, Golden.all(), answersMin, logitErrorMax);
    }
  }

  /** Float32 keys and values give 8 equal answers and an error below 0.002. */
  @ParameterizedTest
  @CsvSource({"BF16, 8, 0.05", "INT8, 8, 0.1"})
  void shouldAnswerMostlyAlikeFromRoundedKeysAndValues(
      KvType type, int answersMin, float logitErrorMax) throws IOException {
    try (LoadedModel model = ModelFiles.open(TestModels.tinyHuggingFace());
        CpuDevice device = CpuDevice.create(model, SETTINGS.withKvType(type))) {
      checkAnswers(device, Golden.all(), answersMin, logitErrorMax);
    }
  }

  private static void checkAnswers(
      CpuDevice device, List<Golden> all, int answersMin, float logitErrorMax) {
    int equalAnswers = 0;
    double error = 0;
    for (Golden golden : all) {
      error = Math.max(error, logitError(device, golden));
      if (Arrays.equals(golden.greedy(), answer(device, golden))) equalAnswers++;
    }
    final String found = equalAnswers + " equal answers, error " + error;
    assertTrue(error < logitErrorMax && equalAnswers >= answersMin, found);
  }

  @ParameterizedTest
  @CsvSource({"f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0"})
  void shouldAgreeWithTheFormulas(String type) throws IOException {
    final List<Golden> all = Golden.all();
    try (LoadedModel model = ModelFiles.open(TestModels.tinyGguf("stator-tiny-" + type + ".gguf"));
        CpuDevice device = CpuDevice.create(model, SETTINGS)) {
      final int[] prompt = all.get(0).prompt();
      final double[] expected = new ReferenceModel(model).logits(prompt);
      final float[] logits =
          Sequences.prefill(device, prompt, Sequences.blocks(0, prompt.length), 7);
      for (int i = 0; i < expected.length; i++) assertEquals(expected[i], logits[i], 1e-3);
    }
  }

  private static double logitError(CpuDevice device, Golden golden) {
    final int[] blocks = Sequences.blocks(0, golden.prompt().length);
    final float[] logits = Sequences.prefill(device, golden.prompt(), blocks, 512);
    double most = 0;
    for (int i = 0; i < golden.topIds().length; i++) {
      most = Math.max(most, Math.abs(golden.topLogits()[i] - logits[golden.topIds()[i]]));
    }
    return most;
  }

  private static int[] answer(CpuDevice device, Golden golden) {
    return Sequences.greedy(device, golden.prompt(), golden.greedy().length, END);
  }
}
