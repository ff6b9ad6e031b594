package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.model.AttentionVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelConfig.RopeLayout;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.RopeScaling;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** How {@code config.json} and safetensors become a shape and roles. */
class HuggingFaceShapeTest {
  private static final ModelFileLimits LIMITS = ModelFileLimits.load();

  @ParameterizedTest
  @CsvSource({
    "llama, false, false",
    "mistral, false, false",
    "qwen2, true, false",
    "qwen3, false, true"
  })
  void shouldReadEachArchitecture(String architecture, boolean hasBias, boolean hasHeadNorm) {
    final SafetensorsFile file = read(TinyModels.safetensors(architecture));
    final ModelConfig config =
        HuggingFaceShape.read(TinyModels.config(architecture), file).config();
    assertEquals(
        new ModelConfig(
            architecture,
            TinyModels.LAYERS,
            TinyModels.HIDDEN,
            TinyModels.INTERMEDIATE,
            TinyModels.HEADS,
            TinyModels.KEY_VALUE_HEADS,
            TinyModels.HEAD,
            TinyModels.TOKENS.size(),
            TinyModels.CONTEXT,
            1e-5f,
            10_000f,
            new RopeScaling.None(),
            RopeLayout.HALVES,
            hasBias,
            hasHeadNorm,
            true),
        config);
    final ModelWeights weights = WeightAssembler.assemble(file, TensorNames.HUGGING_FACE, config);
    assertSame(weights.tokenEmbedding(), weights.outputHead());
    assertEquals("model.layers.1.mlp.down_proj.weight", weights.layers().get(1).down().name());
  }

  @Test
  void shouldTieTheOutputHeadAsTheFilesSay() {
    final SafetensorsWriter writer = TinyModels.safetensors("llama");
    TinyModels.putBf16(writer, "lm_head.weight", TinyModels.TOKENS.size(), TinyModels.HIDDEN);
    final ObjectNode config = TinyModels.config("llama");
    final ModelWeights repeated = assemble(config, writer);
    assertSame(repeated.tokenEmbedding(), repeated.outputHead());
    config.put("tie_word_embeddings", false);
    final ModelWeights apart = assemble(config, writer);
    assertNotSame(apart.tokenEmbedding(), apart.outputHead());
    assertRefused(
        "the tensor 'lm_head.weight' is missing", config, TinyModels.safetensors("llama"));
    config.remove("tie_word_embeddings");
    assertNotSame(assemble(config, writer).tokenEmbedding(), assemble(config, writer).outputHead());
    final ModelWeights unsaid = assemble(config, TinyModels.safetensors("llama"));
    assertSame(unsaid.tokenEmbedding(), unsaid.outputHead());
  }

  @Test
  void shouldFillInWhatOldFilesLeaveOut() {
    final ObjectNode config = TinyModels.config("llama");
    config.remove("head_dim");
    config.remove("num_key_value_heads");
    config.remove("rope_theta");
    config.remove("rms_norm_eps");
    final ModelConfig shape = shape(config).config();
    assertEquals(TinyModels.HEAD, shape.headSize());
    assertEquals(TinyModels.HEADS, shape.keyValueHeadCount());
    assertEquals(10_000f, shape.ropeTheta());
    assertEquals(1e-6f, shape.rmsNormEpsilon());
  }

  @Test
  void shouldReadRopeScalingInItsOldAndNewPlaces() {
    final ObjectNode config = TinyModels.config("llama");
    config.putObject("rope_scaling").put("type", "linear").put("factor", 2);
    assertEquals(new RopeScaling.Linear(2), shape(config).config().ropeScaling());
    llama3(config.putObject("rope_scaling"));
    assertEquals(new RopeScaling.Llama3(32, 1, 4, 8192), shape(config).config().ropeScaling());
    config.remove("rope_scaling");
    config.remove("rope_theta");
    llama3(config.putObject("rope_parameters").put("rope_theta", 500_000));
    assertEquals(new RopeScaling.Llama3(32, 1, 4, 8192), shape(config).config().ropeScaling());
    assertEquals(500_000f, shape(config).config().ropeTheta());
    config.putObject("rope_parameters").put("rope_type", "default").put("rope_theta", 1e6);
    assertEquals(new RopeScaling.None(), shape(config).config().ropeScaling());
  }

  private static void llama3(ObjectNode scaling) {
    scaling
        .put("rope_type", "llama3")
        .put("factor", 32.0)
        .put("low_freq_factor", 1.0)
        .put("high_freq_factor", 4.0)
        .put("original_max_position_embeddings", 8192);
  }

  @Test
  void shouldReadASlidingWindowThatIsInForce() {
    assertEquals(
        new AttentionVariant.Window(16, List.of(true, true), 0),
        window(TinyModels.config("mistral").put("sliding_window", 16)));
    final ObjectNode qwen = TinyModels.config("qwen2").put("sliding_window", 16);
    assertNull(window(qwen));
    assertNull(window(qwen.put("use_sliding_window", false)));
    qwen.put("use_sliding_window", true).put("max_window_layers", 1);
    assertEquals(List.of(false, true), window(qwen).layers());
    qwen.putArray("layer_types").add("sliding_attention").add("full_attention");
    assertEquals(List.of(true, false), window(qwen).layers());
    assertNull(window(TinyModels.config("mistral").putNull("sliding_window")));
  }

  private static AttentionVariant.Window window(ObjectNode config) {
    return shape(config).config().attention().window();
  }

  @Test
  void shouldIgnoreStoredRotaryFrequencies() {
    final SafetensorsWriter writer = TinyModels.safetensors("llama");
    TinyModels.putBf16(writer, "model.layers.0.self_attn.rotary_emb.inv_freq", 4);
    assemble(TinyModels.config("llama"), writer);
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void shouldRefuse(Consumer<ObjectNode> change, String message) {
    final ObjectNode config = TinyModels.config("llama");
    change.accept(config);
    assertRefused(message, config, TinyModels.safetensors("llama"));
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        refusal(
            c -> c.put("model_type", "mamba"),
            "architecture 'mamba' is not supported; supported are llama, mistral, mixtral, qwen2,"
                + " qwen3, qwen2_moe, qwen3_moe, gemma2, gemma3_text, phi3"),
        refusal(c -> c.remove("model_type"), "there is no model_type, expected a string"),
        refusal(c -> c.put("model_type", 3), "model_type is '3', expected a string"),
        refusal(
            c -> c.put("num_local_experts", 8),
            "the llama model is a mixture of 8 experts, which is not supported"),
        refusal(
            c -> c.put("hidden_act", "gelu"), "activation 'gelu' is not supported, expected silu"),
        refusal(
            c -> c.put("partial_rotary_factor", 1.5),
            "partial_rotary_factor is 1.5, expected more than 0 and at most 1"),
        refusal(
            c -> c.putObject("quantization_config").put("quant_method", "gptq"),
            "the weights are quantized by 'gptq', expected plain BF16, F16 or F32, or fp8 of"
                + " e4m3"),
        refusal(
            c -> c.putObject("rope_scaling").put("rope_type", "dynamic"),
            "rope scaling 'dynamic' is not supported; supported are default, linear, llama3, yarn"
                + " and longrope"),
        refusal(
            c -> c.putObject("rope_scaling").put("rope_type", "longrope").put("factor", 2),
            "there is no short_factor, expected an array of numbers"),
        refusal(
            c -> c.put("sliding_window", 16).putArray("layer_types").add("chunked_attention"),
            "layer_types has 'chunked_attention', expected full_attention or sliding_attention"),
        refusal(
            c -> c.putObject("rope_scaling").put("rope_type", "linear"),
            "there is no factor, expected a number"),
        refusal(
            c -> c.putObject("rope_scaling").put("rope_type", "linear").put("factor", 0),
            "rope scaling factor must be positive: 0.0"),
        refusal(
            c -> c.put("rope_scaling", "linear"), "rope_scaling is 'linear', expected an object"),
        refusal(
            c -> c.put("hidden_size", 32.5), "hidden_size is '32.5', expected a 32-bit integer"),
        refusal(
            c -> c.put("hidden_size", 1L << 40),
            "hidden_size is '1099511627776', expected a 32-bit integer"),
        refusal(c -> c.putArray("hidden_size"), "hidden_size is array, expected a 32-bit integer"),
        refusal(
            c -> c.put("tie_word_embeddings", "yes"),
            "tie_word_embeddings is 'yes', expected true or false"),
        refusal(c -> c.put("rms_norm_eps", "small"), "rms_norm_eps is 'small', expected a number"),
        refusal(c -> c.put("num_attention_heads", 0), "head count must be positive: 0"),
        refusal(
            c -> c.put("num_hidden_layers", 3),
            "the tensor 'model.layers.2.input_layernorm.weight' is missing"),
        refusal(
            c -> c.put("num_hidden_layers", 1),
            "the tensor 'model.layers.1.input_layernorm.weight' has no place in a 1-layer llama"
                + " model"),
        refusal(
            c -> c.put("attention_bias", true),
            "the tensor 'model.layers.0.self_attn.q_proj.bias' is missing"));
  }

  private static Arguments refusal(Consumer<ObjectNode> change, String message) {
    return Arguments.of(change, message);
  }

  private static void assertRefused(String message, ObjectNode config, SafetensorsWriter writer) {
    assertEquals(
        message,
        assertThrows(ModelFormatException.class, () -> assemble(config, writer)).getMessage());
  }

  private static ModelShape shape(ObjectNode config) {
    return HuggingFaceShape.read(config, read(TinyModels.safetensors("llama")));
  }

  private static ModelWeights assemble(ObjectNode config, SafetensorsWriter writer) {
    final SafetensorsFile file = read(writer);
    return WeightAssembler.assemble(
        file, TensorNames.HUGGING_FACE, HuggingFaceShape.read(config, file).config());
  }

  private static SafetensorsFile read(SafetensorsWriter writer) {
    return SafetensorsFile.read(
        MemorySegment.ofArray(writer.bytes()), new JsonFiles(LIMITS), LIMITS);
  }
}
