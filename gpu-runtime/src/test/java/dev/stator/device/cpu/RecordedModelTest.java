package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.cpu.CpuDeviceSettings.Kernels;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.RecordedModel;
import dev.stator.testing.Sequences;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each family's logits against those that other implementations computed. */
class RecordedModelTest {
  /** Of the largest logit: float32 on both sides, in other orders. */
  private static final double TRANSFORMERS_ERROR = 2e-6;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mistral",
        "qwen2-window",
        "gemma2",
        "gemma3",
        "mixtral",
        "qwen3moe",
        "qwen3moe-plain",
        "qwen2moe",
        "phi3",
        "phi3-long",
        "phi3-partial",
        "llama-yarn",
        "qwen3-yarn"
      })
  void shouldGiveTheLogitsOfTheTransformersLibrary(String name) {
    final RecordedModel recorded = RecordedModel.read(name);
    try (LoadedModel model = recorded.open()) {
      for (RecordedModel.Case one : recorded.cases()) {
        // The longest sequence that is served chooses between two sets of rotary divisors.
        final float[] logits = logits(model, one.tokens(), one.tokens().length, Kernels.VECTOR);
        final double error = error(one.logits(), doubles(logits));
        assertTrue(error < TRANSFORMERS_ERROR, name + ": " + error);
        assertArrayEquals(
            logits, logits(model, one.tokens(), one.tokens().length, Kernels.SCALAR), 0);
      }
    }
  }

  /** llama.cpp's Gemma takes GELU from a table of half floats. */
  @ParameterizedTest
  @CsvSource({
    "gguf-mixtral, 1e-6",
    "gguf-qwen2moe, 1e-6",
    "gguf-qwen3moe, 1e-6",
    "gguf-gemma2, 1e-3",
    "gguf-gemma3, 1e-3",
    "gguf-phi3, 1e-6",
    "gguf-phi3-long, 1e-6",
    "gguf-phi3-short, 1e-6",
    "gguf-qwen3-yarn, 1e-6"
  })
  void shouldGiveTheProbabilitiesOfLlamaCpp(String name, double errorMax) {
    final RecordedModel recorded = RecordedModel.read(name);
    try (LoadedModel model = recorded.open()) {
      for (RecordedModel.Case one : recorded.cases()) {
        final float[] logits = logits(model, one.tokens(), 64, Kernels.VECTOR);
        final double error = error(one.logits(), logProbabilities(logits));
        assertTrue(error < errorMax, name + ": " + error);
      }
    }
  }

  private static double[] logProbabilities(float[] logits) {
    double sum = 0;
    for (float logit : logits) sum += Math.exp(logit);
    final double[] logs = new double[logits.length];
    for (int i = 0; i < logs.length; i++) logs[i] = logits[i] - Math.log(sum);
    return logs;
  }

  /** Relative to the largest. */
  private static double error(double[] expected, double[] logits) {
    double largest = 0;
    double error = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      error = Math.max(error, Math.abs(expected[i] - logits[i]));
    }
    return error / largest;
  }

  private static double[] doubles(float[] values) {
    final double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) doubles[i] = values[i];
    return doubles;
  }

  private static float[] logits(
      LoadedModel model, int[] tokens, int contextLength, Kernels kernels) {
    try (CpuDevice device =
        CpuDevice.create(model, new CpuDeviceSettings(1, 0, 4, 64, contextLength, kernels))) {
      return Sequences.prefill(device, tokens, new int[] {2, 0, 3}, 17);
    }
  }
}
