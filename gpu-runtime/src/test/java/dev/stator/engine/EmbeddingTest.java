package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.Device;
import dev.stator.device.cpu.CpuDevice;
import dev.stator.device.cpu.CpuDeviceSettings;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.model.LoadedModel;
import dev.stator.model.Pooling;
import dev.stator.model.file.RecordedModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Embeddings: another implementation's, and the same bytes whatever runs beside them. */
class EmbeddingTest {
  private static final double ERROR_MAX = 2e-6; // Of the largest value.
  private static final int ROOMY = 40;
  private static final int NARROW = 8;

  @ParameterizedTest
  @CsvSource({
    "mistral, MEAN",
    "mistral, LAST",
    "gemma3, MEAN",
    "gemma3, LAST",
    "qwen3moe, MEAN",
    "qwen3moe, LAST"
  })
  void shouldGiveTheEmbeddingsOfTheTransformersLibrary(String name, Pooling pooling) {
    final RecordedModel recorded = RecordedModel.read(name);
    final RecordedModel.Case one = recorded.cases().getLast();
    final double[] expected = pooling == Pooling.MEAN ? one.mean() : one.last();
    try (LoadedModel model = recorded.open();
        CpuDevice device = device(model, ROOMY)) {
      final float[] embedding = embedding(device, request("a", one.tokens(), pooling));
      assertEquals(device.embeddingSize(), embedding.length);
      double largest = 0;
      for (double value : expected) largest = Math.max(largest, Math.abs(value));
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], embedding[i], ERROR_MAX * largest);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Pooling.class)
  void shouldGiveTheSameBytesInAnyCompany(Pooling pooling) {
    final RecordedModel recorded = RecordedModel.read("gemma3");
    final int[] tokens = recorded.cases().getLast().tokens();
    try (LoadedModel model = recorded.open();
        CpuDevice alone = device(model, ROOMY);
        CpuDevice shared = device(model, ROOMY)) {
      final float[] expected = embedding(alone, request("a", tokens, pooling));
      final LocalEngine engine = engine(shared);
      engine.submit(answer("first", tokens)); // Leaves blocks that the others find.
      drain(engine);
      engine.submit(request("a", tokens, pooling));
      engine.submit(answer("b", new int[] {5, 6, 7}));
      engine.submit(request("c", tokens, Pooling.MEAN));
      engine.submit(request("d", new int[] {9}, pooling));
      final Map<String, StepReport.Progress> ends = drain(engine);
      assertArrayEquals(expected, ends.get("a").embedding(), 0);
      assertEquals(4, ends.size());
      assertEquals(List.of(), ends.get("a").tokens());
      assertEquals(pooling == Pooling.LAST ? 32 : 0, ends.get("a").cachedTokens());
      assertEquals(0, engine.load().usedBlocks());
    }
  }

  @Test
  void shouldGiveTheSameBytesWhenPreempted() {
    final RecordedModel recorded = RecordedModel.read("mistral");
    final int[] tokens = recorded.cases().getLast().tokens();
    try (LoadedModel model = recorded.open();
        CpuDevice alone = device(model, ROOMY);
        CpuDevice narrow = device(model, NARROW)) {
      final LocalEngine engine = engine(narrow);
      for (int i = 0; i < 4; i++) {
        final int[] own = tokens.clone();
        own[0] = i; // Nothing to share.
        engine.submit(i % 2 == 0 ? answer("" + i, own) : request("" + i, own, Pooling.MEAN));
      }
      final Map<String, StepReport.Progress> ends = drain(engine);
      for (int i = 1; i < 4; i += 2) {
        final int[] own = tokens.clone();
        own[0] = i;
        final float[] expected = embedding(alone, request("" + i, own, Pooling.MEAN));
        assertArrayEquals(expected, ends.get("" + i).embedding(), 0);
      }
    }
  }

  @Test
  void shouldRefuseEmbeddingsOfADeviceThatHasNone() {
    try (SimulatedDevice device = new SimulatedDevice(8, 4, 50, 60)) {
      assertEquals(
          new Admission.Refused("device.embedding-size", 1, 0, false),
          engine(device).submit(request("a", new int[] {1}, Pooling.LAST)));
    }
  }

  private static CpuDevice device(LoadedModel model, int blockCount) {
    return CpuDevice.create(
        model, new CpuDeviceSettings(1, 0, blockCount, 64, 80, CpuDeviceSettings.Kernels.VECTOR));
  }

  private static LocalEngine engine(Device device) {
    return new LocalEngine(device, new EngineSettings(16, 7, 4, 8, 64, 1000, 8, 0), Set.of());
  }

  private static GenerationRequest request(String id, int[] tokens, Pooling pooling) {
    return new GenerationRequest(
        new RequestId(id), tokens, tokens.length, SamplingParams.greedy(1), "", pooling);
  }

  private static GenerationRequest answer(String id, int[] tokens) {
    return new GenerationRequest(
        new RequestId(id), tokens, tokens.length, SamplingParams.greedy(20), "");
  }

  private static float[] embedding(CpuDevice device, GenerationRequest request) {
    final LocalEngine engine = engine(device);
    assertTrue(engine.submit(request) instanceof Admission.Admitted);
    return drain(engine).get(request.id().value()).embedding();
  }

  private static Map<String, StepReport.Progress> drain(LocalEngine engine) {
    final Map<String, StepReport.Progress> ends = new HashMap<>();
    while (engine.hasWork()) {
      for (StepReport.Progress progress : engine.step().progress()) {
        if (progress.finish() != null) ends.put(progress.id().value(), progress);
      }
    }
    return ends;
  }
}
