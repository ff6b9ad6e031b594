package dev.stator.model.file;

import java.util.Set;

/**
 * What a format calls a model's tensors.
 *
 * @param layerPrefix stands before a layer's index; a dot follows it
 * @param ignored tensors that a file may have and that are not weights
 */
record TensorNames(
    String tokenEmbedding,
    String outputNorm,
    String outputHead,
    String layerPrefix,
    String attentionNorm,
    String query,
    String key,
    String value,
    String attentionOutput,
    String queryNorm,
    String keyNorm,
    String feedForwardNorm,
    String gate,
    String up,
    String down,
    Set<String> ignored) {

  /** One divisor of the rotary frequency for each pair, in GGUF files. */
  static final String ROPE_DIVISORS = "rope_freqs.weight";

  private static final String BIAS = ".bias";
  private static final String WEIGHT = ".weight";

  static final TensorNames GGUF =
      new TensorNames(
          "token_embd.weight",
          "output_norm.weight",
          "output.weight",
          "blk.",
          "attn_norm",
          "attn_q",
          "attn_k",
          "attn_v",
          "attn_output",
          "attn_q_norm",
          "attn_k_norm",
          "ffn_norm",
          "ffn_gate",
          "ffn_up",
          "ffn_down",
          Set.of(ROPE_DIVISORS));

  static final TensorNames HUGGING_FACE =
      new TensorNames(
          "model.embed_tokens.weight",
          "model.norm.weight",
          "lm_head.weight",
          "model.layers.",
          "input_layernorm",
          "self_attn.q_proj",
          "self_attn.k_proj",
          "self_attn.v_proj",
          "self_attn.o_proj",
          "self_attn.q_norm",
          "self_attn.k_norm",
          "post_attention_layernorm",
          "mlp.gate_proj",
          "mlp.up_proj",
          "mlp.down_proj",
          Set.of());

  /** Old conversions kept the rotary frequencies, which follow from the configuration. */
  private static final String STORED_FREQUENCIES = ".self_attn.rotary_emb.inv_freq";

  String weight(int layerIndex, String role) {
    return layerPrefix + layerIndex + "." + role + WEIGHT;
  }

  String bias(int layerIndex, String role) {
    return layerPrefix + layerIndex + "." + role + BIAS;
  }

  boolean isIgnored(String name) {
    return ignored.contains(name) || name.endsWith(STORED_FREQUENCIES);
  }
}
