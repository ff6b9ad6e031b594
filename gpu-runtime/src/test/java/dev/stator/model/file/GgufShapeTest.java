package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stator.model.AttentionVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelConfig.RopeLayout;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.RopeScaling;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** How GGUF metadata and tensors become a shape and roles. */
class GgufShapeTest {
  @ParameterizedTest
  @CsvSource({
    "llama, INTERLEAVED, false, false",
    "qwen2, HALVES, true, false",
    "qwen3, HALVES, false, true"
  })
  void shouldReadEachArchitecture(
      String architecture, RopeLayout layout, boolean hasBias, boolean hasHeadNorm) {
    final GgufFile file = read(TinyModels.gguf(architecture));
    final ModelConfig config = GgufShape.read(file).config();
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
            layout,
            hasBias,
            hasHeadNorm,
            true),
        config);
    final ModelWeights weights = WeightAssembler.assemble(file, TensorNames.GGUF, config);
    assertSame(weights.tokenEmbedding(), weights.outputHead());
    final ModelWeights.Layer last = weights.layers().get(TinyModels.LAYERS - 1);
    assertEquals("blk.1.ffn_down.weight", last.down().name());
    assertEquals(
        hasBias ? "blk.1.attn_k.bias" : null, hasBias ? last.keyBias().name() : last.keyBias());
    assertEquals(
        hasHeadNorm ? "blk.1.attn_q_norm.weight" : null,
        hasHeadNorm ? last.queryNorm().name() : last.queryNorm());
  }

  @Test
  void shouldTakeAnOutputHeadOfItsOwn() {
    final GgufWriter writer = TinyModels.gguf("llama");
    TinyModels.putGguf(writer, "output.weight", TinyModels.TOKENS.size(), TinyModels.HIDDEN);
    final ModelWeights weights = assemble(writer);
    assertNotSame(weights.tokenEmbedding(), weights.outputHead());
    assertEquals("output.weight", weights.outputHead().name());
  }

  @Test
  void shouldTakeBiasesOfALlamaThatHasThem() {
    final GgufWriter writer = TinyModels.gguf("llama");
    for (int i = 0; i < TinyModels.LAYERS; i++) {
      TinyModels.putGguf(writer, "blk." + i + ".attn_q.bias", TinyModels.HEADS * TinyModels.HEAD);
      TinyModels.putGguf(
          writer, "blk." + i + ".attn_k.bias", TinyModels.KEY_VALUE_HEADS * TinyModels.HEAD);
      TinyModels.putGguf(
          writer, "blk." + i + ".attn_v.bias", TinyModels.KEY_VALUE_HEADS * TinyModels.HEAD);
    }
    assertNotNull(assemble(writer).layers().getFirst().queryBias());
    assertNull(assemble(TinyModels.gguf("llama")).layers().getFirst().queryBias());
  }

  @Test
  void shouldFillInWhatTheFormatLeavesOut() {
    final ModelConfig config =
        GgufShape.read(
                read(
                    TinyModels.gguf("llama")
                        .remove("llama.attention.key_length")
                        .remove("llama.rope.freq_base")))
            .config();
    assertEquals(TinyModels.HIDDEN / TinyModels.HEADS, config.headSize());
    assertEquals(10_000f, config.ropeTheta());
  }

  @Test
  void shouldReadLinearRopeScaling() {
    final GgufWriter writer =
        TinyModels.gguf("llama")
            .put("llama.rope.scaling.type", "linear")
            .put("llama.rope.scaling.factor", 4f);
    assertEquals(new RopeScaling.Linear(4), GgufShape.read(read(writer)).config().ropeScaling());
    final GgufWriter old = TinyModels.gguf("llama").put("llama.rope.scale_linear", 2f);
    assertEquals(new RopeScaling.Linear(2), GgufShape.read(read(old)).config().ropeScaling());
  }

  @Test
  void shouldReadRopeDivisorsAndApplyALinearFactorToThem() {
    final byte[] divisors =
        ByteBuffer.allocate(16)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putFloat(1)
            .putFloat(2)
            .putFloat(4)
            .putFloat(8)
            .array();
    final GgufWriter writer =
        TinyModels.gguf("llama")
            .tensor("rope_freqs.weight", GgmlType.F32, new long[] {4}, divisors);
    assertArrayEquals(new float[] {1, 2, 4, 8}, divisors(writer));
    assertArrayEquals(
        new float[] {2, 4, 8, 16}, divisors(writer.put("llama.rope.scaling.factor", 2f)));
    assemble(writer); // They are no weight, but nothing left over either.
  }

  @Test
  void shouldReadASlidingWindowShorterThanTheContext() {
    final GgufWriter writer = TinyModels.gguf("llama").put("llama.attention.sliding_window", 16);
    assertEquals(
        new AttentionVariant.Window(16, List.of(true, true), 0),
        GgufShape.read(read(writer)).config().attention().window());
    writer.put("llama.attention.sliding_window", TinyModels.CONTEXT);
    assertNull(GgufShape.read(read(writer)).config().attention().window());
  }

  @Test
  void shouldReadYarnScaling() {
    final GgufWriter writer =
        TinyModels.gguf("qwen3")
            .put("qwen3.rope.scaling.type", "yarn")
            .put("qwen3.rope.scaling.factor", 4f)
            .put("qwen3.rope.scaling.original_context_length", 16);
    assertEquals(
        new RopeScaling.Yarn(4, 32, 1, 16, (float) (0.1 * Math.log(4) + 1), true),
        GgufShape.read(read(writer)).config().ropeScaling());
  }

  @ParameterizedTest
  @MethodSource({"unsupportedKinds", "contradictions"})
  void shouldRefuse(UnaryOperator<GgufWriter> change, String message) {
    final GgufWriter writer = change.apply(TinyModels.gguf("llama"));
    assertEquals(
        message, assertThrows(ModelFormatException.class, () -> assemble(writer)).getMessage());
  }

  static Stream<Arguments> unsupportedKinds() {
    return Stream.of(
        refusal(
            w -> w.put("general.architecture", "mamba"),
            "architecture 'mamba' is not supported; supported are llama, mistral, qwen2, qwen3,"
                + " qwen2moe, qwen3moe, gemma2, gemma3, phi3"),
        refusal(
            w -> w.remove("general.architecture"),
            "the metadata has no general.architecture, expected a string"),
        refusal(
            w -> w.put("general.type", "adapter"), "the file holds a 'adapter', expected a model"),
        refusal(
            w -> w.put("split.count", 3),
            "the file is one of 3 parts; join them with llama-gguf-split --merge"),
        refusal(
            w -> w.put("llama.expert_count", 8).put("llama.expert_used_count", 2),
            "the tensor 'blk.0.ffn_gate_inp.weight' is missing"),
        refusal(
            w -> w.put("llama.expert_count", 8).put("llama.expert_used_count", 9),
            "9 of 8 experts are used, expected 1 to all of them"),
        refusal(
            w -> w.put("llama.rope.scaling.type", "dynamic"),
            "rope scaling 'dynamic' is not supported; supported are none, linear, yarn,"
                + " rope_freqs.weight and rope_factors_long.weight"),
        refusal(
            w -> w.put("llama.rope.dimension_count", 10), "10 values of heads of 8 are rotated"),
        refusal(
            w -> w.put("llama.rope.dimension_count", 5),
            "rotated values of a head must be even: 5"),
        refusal(
            w -> w.put("llama.attention.value_length", 16),
            "keys have 8 values a head and values 16, expected as many"));
  }

  static Stream<Arguments> contradictions() {
    return Stream.of(
        refusal(w -> w.put("llama.block_count", 0), "layer count must be positive: 0"),
        refusal(
            w -> w.put("llama.block_count", Integer.MAX_VALUE),
            "the tensor 'blk.2.attn_norm.weight' is missing"),
        refusal(w -> w.put("llama.attention.head_count", 0), "head count must be positive: 0"),
        refusal(
            w -> w.put("llama.attention.head_count", Integer.MAX_VALUE - 1),
            "2147483646 heads of 8 values are out of range"),
        refusal(
            w -> w.put("llama.attention.head_count_kv", 3),
            "head count 4 is not a multiple of key/value head count 3"),
        refusal(
            w -> w.put("llama.attention.head_count_kv", new int[] {2, 2}),
            "the metadata's llama.attention.head_count_kv is an array of values that are each a"
                + " 32-bit integer, expected an integer"),
        refusal(
            w -> w.put("llama.attention.layer_norm_rms_epsilon", Float.NaN),
            "RMS norm epsilon must be in [0, 1): NaN"),
        refusal(w -> w.put("llama.rope.freq_base", -1f), "rope theta must be positive: -1.0"),
        refusal(
            w -> w.put("llama.rope.scaling.factor", -1f),
            "rope scaling factor must be positive: -1.0"),
        refusal(
            w -> w.tensor("rope_freqs.weight", GgmlType.F32, new long[] {2}, new byte[8]),
            "tensor rope_freqs.weight has shape 1 x 2, expected 1 x 4"),
        refusal(
            w -> w.tensor("rope_freqs.weight", GgmlType.F32, new long[] {4}, new byte[16]),
            "rope divisor must be positive: 0.0"),
        refusal(
            w -> w.put("llama.vocab_size", 7),
            "tensor token_embd.weight has shape 259 x 32, expected 7 x 32"),
        refusal(
            w -> w.put("llama.feed_forward_length", 96),
            "tensor blk.0.ffn_gate.weight has shape 64 x 32, expected 96 x 32"),
        refusal(
            w -> w.removeTensor("blk.1.ffn_up.weight"),
            "the tensor 'blk.1.ffn_up.weight' is missing"),
        refusal(
            w ->
                w.tensor(
                    "blk.1.ffn_up.weight", GgmlType.MXFP4, new long[] {32, 64}, new byte[64 * 17]),
            "tensor 'blk.1.ffn_up.weight': type MXFP4 is not supported;"
                + " supported are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL, Q2_K, Q3_K,"
                + " Q4_K, Q5_K, Q6_K"),
        refusal(
            w -> TinyModels.putGguf(w, "blk.0.attn_output.bias", 32),
            "the tensor 'blk.0.attn_output.bias' has no place in a 2-layer llama model"),
        refusal(
            w -> TinyModels.putGguf(w, "blk.0.attn_q.bias", 32),
            "the tensor 'blk.0.attn_k.bias' is missing"));
  }

  private static Arguments refusal(UnaryOperator<GgufWriter> change, String message) {
    return Arguments.of(change, message);
  }

  private static float[] divisors(GgufWriter writer) {
    return ((RopeScaling.PerPair) GgufShape.read(read(writer)).config().ropeScaling()).divisors();
  }

  private static ModelWeights assemble(GgufWriter writer) {
    final GgufFile file = read(writer);
    return WeightAssembler.assemble(file, TensorNames.GGUF, GgufShape.read(file).config());
  }

  private static GgufFile read(GgufWriter writer) {
    return GgufFile.read(MemorySegment.ofArray(writer.bytes()), ModelFileLimits.load());
  }
}
