package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelSummary;
import dev.stator.model.ModelSummary.TensorTypeUse;
import dev.stator.model.Pooling;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole models through the one door. */
class ModelFilesTest {
  private static final int TINY_PARAMETER_COUNT = 5_246_208;
  private static final Set<Integer> TINY_END_TOKENS = Set.of(2045, 2047);

  /**
   * The smallest bfloat16 values were rounded to float16's subnormal ones, 2^-24 apart; all others
   * are exact.
   */
  private static final float F16_ROUNDING = 0x1p-25f;

  @TempDir private Path folder;

  @Test
  void shouldOpenTheBundledModel() {
    try (LoadedModel model = TestModels.openBundled()) {
      assertEquals("stator-tiny-q8_0", model.name());
      assertEquals("gguf", model.format());
      assertTrue(model.source().endsWith("stator-tiny-q8_0.gguf"));
      assertEquals("llama", model.config().architecture());
      assertEquals(ModelConfig.RopeLayout.INTERLEAVED, model.config().ropeLayout());
      assertEquals(2048, model.config().contextLength());
      assertTrue(model.config().tiedEmbeddings());
      assertSame(model.weights().tokenEmbedding(), model.weights().outputHead());
      assertEquals(model.config().layerCount(), model.weights().layers().size());
      assertEquals(TINY_END_TOKENS, model.defaults().endTokenIds());
      assertEquals(model.config().vocabularySize(), model.tokenizer().vocabularySize());
      assertTrue(model.chatTemplate().source().contains("im_start"));
    }
  }

  @Test
  void shouldLeaveOutRowsThatNoTokenHas() throws IOException {
    final Path small = Files.write(folder.resolve("small.gguf"), TinyModels.gguf("llama").bytes());
    try (LoadedModel wide = TestModels.openBundled();
        LoadedModel narrow = ModelFiles.open(small)) {
      final ModelParts parts =
          new ModelParts(
              "gguf",
              wide.config(),
              wide.weights(),
              narrow.tokenizer(),
              "gpt2",
              null,
              narrow.defaults(),
              List.of());
      final int tokenCount = narrow.tokenizer().vocabularySize();
      final WeightMatrix head = parts.weights().outputHead();
      assertEquals(tokenCount, parts.config().vocabularySize());
      assertEquals(tokenCount, head.rowCount());
      assertSame(parts.weights().tokenEmbedding(), head);
      assertArrayEquals(
          WeightDecoder.row(wide.weights().outputHead(), tokenCount - 1),
          WeightDecoder.row(head, tokenCount - 1));
    }
  }

  static Stream<String> tinyGgufs() {
    return TestModels.TINY_GGUF_NAMES.stream();
  }

  @ParameterizedTest
  @MethodSource("tinyGgufs")
  void shouldSumUpEachFormat(String fileName) {
    final ModelSummary summary = ModelFiles.inspect(TestModels.tinyGguf(fileName));
    assertEquals(TINY_PARAMETER_COUNT, summary.parameterCount());
    assertEquals(
        summary.weightBytes(),
        summary.tensorTypes().stream().mapToLong(TensorTypeUse::byteCount).sum());
    assertEquals(56, summary.tensorTypes().stream().mapToInt(TensorTypeUse::tensorCount).sum());
    assertEquals("gpt2, qwen2", summary.tokenizerKind());
    assertEquals(2048, summary.tokenCount());
    assertTrue(summary.hasChatTemplate());
    assertEquals(List.of(), summary.notes());
  }

  @Test
  void shouldReadTheSameWeightsFromBothFormats() {
    try (LoadedModel gguf = ModelFiles.open(TestModels.tinyGguf("stator-tiny-f16.gguf"));
        LoadedModel huggingFace = ModelFiles.open(TestModels.tinyHuggingFace())) {
      assertEquals("safetensors", huggingFace.format());
      assertEquals(ModelConfig.RopeLayout.HALVES, huggingFace.config().ropeLayout());
      assertEquals(TINY_END_TOKENS, huggingFace.defaults().endTokenIds());
      assertEquals(gguf.chatTemplate().source(), huggingFace.chatTemplate().source());
      final List<WeightMatrix> expected = gguf.weights().matrices();
      final List<WeightMatrix> actual = huggingFace.weights().matrices();
      assertEquals(expected.size(), actual.size());
      for (int i = 0; i < expected.size(); i++) {
        if (isRotated(expected.get(i).name())) {
          assertRowsPermuted(expected.get(i), actual.get(i), gguf.config().headSize());
        } else {
          assertArrayEquals(
              WeightDecoder.all(expected.get(i)),
              WeightDecoder.all(actual.get(i)),
              F16_ROUNDING,
              expected.get(i).name());
        }
      }
    }
  }

  private static boolean isRotated(String ggufName) {
    return ggufName.contains("attn_q.") || ggufName.contains("attn_k.");
  }

  /**
   * Row 2i of an interleaved head is row i of one in halves, row 2i + 1 is row i + headSize / 2.
   */
  private static void assertRowsPermuted(
      WeightMatrix interleaved, WeightMatrix halves, int headSize) {
    for (int row = 0; row < interleaved.rowCount(); row++) {
      final int inHead = row % headSize;
      final int other = row - inHead + inHead / 2 + inHead % 2 * headSize / 2;
      assertArrayEquals(
          WeightDecoder.row(interleaved, row),
          WeightDecoder.row(halves, other),
          F16_ROUNDING,
          interleaved.name() + " row " + row);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral", "qwen2", "qwen3"})
  void shouldOpenAFolderOfEachArchitecture(String architecture) throws IOException {
    TinyModels.writeHuggingFace(folder, architecture);
    try (LoadedModel model = ModelFiles.open(folder)) {
      assertEquals(architecture, model.config().architecture());
      assertEquals(Set.of(256, TinyModels.END_TOKEN), model.defaults().endTokenIds());
      assertEquals(TinyModels.TEMPLATE, model.chatTemplate().source());
      assertEquals(OptionalDouble.empty(), model.defaults().temperature());
    }
  }

  @Test
  void shouldReadWhatTheMakersAdvise() throws IOException {
    TinyModels.writeHuggingFace(folder, "llama");
    final Path file = folder.resolve("generation_config.json");
    Files.writeString(
        file, "{\"eos_token_id\": 7, \"temperature\": 0.6, \"top_p\": 0.9, \"top_k\": 20}");
    try (LoadedModel model = ModelFiles.open(folder)) {
      assertEquals(OptionalDouble.of(0.6), model.defaults().temperature());
      assertEquals(OptionalDouble.of(0.9), model.defaults().topP());
      assertEquals(OptionalInt.of(20), model.defaults().topK());
      assertEquals(Set.of(7, 256, TinyModels.END_TOKEN), model.defaults().endTokenIds());
    }
    Files.writeString(file, "{\"do_sample\": false, \"temperature\": 0.6}");
    assertEquals(OptionalDouble.empty(), ModelFiles.inspect(folder).defaults().temperature());
    Files.writeString(file, "{\"temperature\": -1}");
    assertRefused(
        "generation_config.json: the advised temperature is -1.0, expected 0 to 100", folder);
    Files.writeString(file, "{\"eos_token_id\": [1, 259]}");
    assertRefused(
        "generation_config.json: eos_token_id is 259, which is not one of the 259 tokens", folder);
    Files.delete(file);
    assertEquals(
        Set.of(256, TinyModels.END_TOKEN), ModelFiles.inspect(folder).defaults().endTokenIds());
  }

  @Test
  void shouldReadWhatAGgufAdvises() throws IOException {
    final Path file = folder.resolve("m.gguf");
    Files.write(
        file,
        TinyModels.gguf("llama")
            .put("general.sampling.temp", 0.5f)
            .put("general.sampling.top_k", GgufValueType.INT32, b -> b.putInt(-1))
            .put("tokenizer.ggml.eot_token_id", 5)
            .bytes());
    final ModelSummary summary = ModelFiles.inspect(file);
    assertEquals("m", summary.name());
    assertEquals(OptionalDouble.of(0.5), summary.defaults().temperature());
    assertEquals(OptionalInt.empty(), summary.defaults().topK());
    assertEquals(Set.of(5, 256, TinyModels.END_TOKEN), summary.defaults().endTokenIds());
  }

  @Test
  void shouldFindTheTemplateWhereverAFolderKeepsIt() throws IOException {
    TinyModels.writeHuggingFace(folder, "llama");
    final ObjectNode config = JsonNodeFactory.instance.objectNode();
    final ArrayNode named = config.putArray("chat_template");
    named.addObject().put("name", "tool_use").put("template", "other");
    named.addObject().put("name", "default").put("template", "from a list");
    Files.writeString(folder.resolve("tokenizer_config.json"), config.toString());
    assertEquals("from a list", templateSource());
    Files.writeString(folder.resolve("chat_template.json"), "{\"chat_template\": \"from json\"}");
    assertEquals("from json", templateSource());
    Files.writeString(folder.resolve("chat_template.jinja"), "from jinja");
    assertEquals("from jinja", templateSource());
  }

  private String templateSource() {
    try (LoadedModel model = ModelFiles.open(folder)) {
      return model.chatTemplate().source();
    }
  }

  @Test
  void shouldOpenModelsWithoutATemplate() throws IOException {
    TinyModels.writeHuggingFace(folder, "llama");
    Files.delete(folder.resolve("tokenizer_config.json"));
    try (LoadedModel model = ModelFiles.open(folder)) {
      assertNull(model.chatTemplate());
    }
    assertFalse(ModelFiles.inspect(folder).hasChatTemplate());
  }

  @Test
  void shouldRefuseATemplateThatIsNone() throws IOException {
    TinyModels.writeHuggingFace(folder, "llama");
    Files.writeString(folder.resolve("chat_template.jinja"), "{% for %}");
    final String message =
        assertThrows(ModelFormatException.class, () -> ModelFiles.open(folder)).getMessage();
    assertTrue(
        message.startsWith(folder.getFileName() + ": the chat template cannot be used: "), message);
  }

  @Test
  void shouldRefuseWeightsThatAreNotFinite() throws IOException {
    final GgufWriter writer = TinyModels.gguf("llama");
    final byte[] blocks = new byte[TinyModels.INTERMEDIATE * 34];
    blocks[5 * 34 + 1] = 0x7E;
    writer.tensor(
        "blk.1.ffn_up.weight",
        GgmlType.Q8_0,
        new long[] {TinyModels.HIDDEN, TinyModels.INTERMEDIATE},
        blocks);
    final Path file = folder.resolve("nan.gguf");
    Files.write(file, writer.bytes());
    assertRefused("tensor blk.1.ffn_up.weight has a value that is not finite in row 5", file);
    ModelFiles.openUnread(file).close(); // Whoever packs them will see.
  }

  @Test
  void shouldRefuseATokenizerThatIsLargerThanTheModel() throws IOException {
    final GgufWriter writer = TinyModels.gguf("llama");
    TinyModels.putGguf(writer, "token_embd.weight", 100, TinyModels.HIDDEN);
    final Path file = folder.resolve("small.gguf");
    Files.write(file, writer.put("llama.vocab_size", 100).bytes());
    assertRefused("the tokenizer has 259 tokens, the model only 100", file);
  }

  @Test
  void shouldRefuseWhatIsNoModel() throws IOException {
    assertRefused("there is no such file", folder.resolve("nowhere.gguf"));
    assertRefused("config.json: there is no such file", folder);
    final Path text = Files.writeString(folder.resolve("readme.txt"), "hello");
    assertRefused("the file begins with 'hell', expected 'GGUF'", text);
    TinyModels.writeHuggingFace(folder, "llama");
    Files.delete(folder.resolve("tokenizer.json"));
    assertRefused("tokenizer.json: there is no such file", folder);
    Files.writeString(folder.resolve("tokenizer.json"), "[1");
    assertRefused("tokenizer.json: it is not valid JSON at line 1, column 3", folder);
    Files.writeString(
        folder.resolve("config.json"), "{\"hidden_size\": 1, \"model_type\": \"gpt2\"}");
    assertRefused(
        "config.json: architecture 'gpt2' is not supported; supported are llama, mistral, mixtral,"
            + " qwen2, qwen3, qwen2_moe, qwen3_moe, gemma2, gemma3_text, phi3",
        folder);
  }

  @Test
  void shouldOpenAModelOfSeveralQuantizedTypes() throws IOException {
    final GgufWriter writer = TinyModels.gguf("llama");
    final List<GgmlType> types =
        List.of(GgmlType.Q4_1, GgmlType.Q5_0, GgmlType.Q5_1, GgmlType.IQ4_NL);
    final List<String> names = List.of("attn_q", "attn_output", "ffn_gate", "ffn_up");
    for (int i = 0; i < types.size(); i++) {
      final int rowCount = i < 2 ? 32 : 64;
      final byte[] data = new byte[rowCount * types.get(i).blockBytes()];
      final long[] dimensions = {32, rowCount};
      writer.tensor("blk.1." + names.get(i) + ".weight", types.get(i), dimensions, data);
    }
    final Path file = Files.write(folder.resolve("mixed.gguf"), writer.bytes());
    assertEquals(
        List.of(
            WeightType.F32,
            WeightType.Q8_0,
            WeightType.Q4_1,
            WeightType.Q5_0,
            WeightType.Q5_1,
            WeightType.IQ4_NL),
        ModelFiles.inspect(file).tensorTypes().stream().map(TensorTypeUse::type).toList());
  }

  @Test
  void shouldServeTheWholeContextOfAModelWithASlidingWindow() throws IOException {
    TinyModels.writeHuggingFace(folder, "mistral");
    Files.writeString(
        folder.resolve("config.json"),
        TinyModels.config("mistral").put("sliding_window", 16).toString());
    final ModelSummary summary = ModelFiles.inspect(folder);
    assertEquals(TinyModels.CONTEXT, summary.config().contextLength());
    assertEquals(16, summary.config().attention().window().length());
    assertEquals(0, summary.notes().size());
    assertEquals(WeightType.BF16, summary.tensorTypes().getFirst().type());
  }

  @Test
  void shouldReadHowEmbeddingsAreMade() throws IOException {
    TinyModels.writeHuggingFace(folder, "qwen3");
    assertEquals(Optional.empty(), ModelFiles.inspect(folder).defaults().pooling());
    final Path pooling = Files.createDirectory(folder.resolve("1_Pooling")).resolve("config.json");
    Files.writeString(pooling, "{\"pooling_mode_lasttoken\": true}");
    assertEquals(Optional.of(Pooling.LAST), ModelFiles.inspect(folder).defaults().pooling());
    Files.writeString(pooling, "{\"pooling_mode_mean_tokens\": true}");
    final byte[] card = ModelCards.write(folder, "a", 9);
    assertEquals(Optional.of(Pooling.MEAN), ModelCards.read(card).defaults().pooling());
    Files.writeString(pooling, "{\"pooling_mode_cls_token\": true}");
    assertRefused(
        "1_Pooling/config.json: neither pooling_mode_mean_tokens nor pooling_mode_lasttoken is"
            + " true; other poolings are not supported",
        folder);
  }

  @Test
  void shouldReadHowAGgufFileMakesEmbeddings() throws IOException {
    final Path file = folder.resolve("a.gguf");
    Files.write(file, TinyModels.gguf("qwen3").put("qwen3.pooling_type", 3).bytes());
    assertEquals(Optional.of(Pooling.LAST), ModelFiles.inspect(file).defaults().pooling());
    Files.write(file, TinyModels.gguf("qwen3").put("qwen3.pooling_type", 2).bytes());
    assertRefused("qwen3.pooling_type is 2, supported are 0 (none), 1 (mean) and 3 (last)", file);
  }

  @Test
  void shouldReadTensorsWithoutTheModelsPrefix() throws IOException {
    TinyModels.writeHuggingFace(folder, "qwen3");
    final SafetensorsWriter bare = new SafetensorsWriter();
    TinyModels.shapes("qwen3", TensorNames.HUGGING_FACE)
        .forEach((name, shape) -> TinyModels.putBf16(bare, name.substring(6), shape));
    Files.write(folder.resolve("model.safetensors"), bare.bytes());
    try (LoadedModel model = ModelFiles.open(folder)) {
      assertEquals("embed_tokens.weight", model.weights().tokenEmbedding().name());
      assertEquals("layers.1.mlp.up_proj.weight", model.weights().layers().get(1).up().name());
    }
  }

  @Test
  void shouldUnmapTheWeightsWhenClosed() {
    final LoadedModel model = TestModels.openBundled();
    model.close();
    assertThrows(
        IllegalStateException.class, () -> WeightDecoder.row(model.weights().outputNorm(), 0));
  }

  private static void assertRefused(String message, Path path) {
    final String found =
        assertThrows(ModelFormatException.class, () -> ModelFiles.open(path)).getMessage();
    assertEquals(path.getFileName() + ": " + message, found);
  }
}
