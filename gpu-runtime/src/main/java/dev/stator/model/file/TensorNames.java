package dev.stator.model.file;

import java.util.Set;

/**
 * What a format calls a model's tensors.
 *
 * @param layerPrefix stands before a layer's index; a dot follows it
 * @param fusedQueryKeyValue one tensor of the rows of all three, where a file has no {@code query}
 * @param fusedGateUp one tensor of the rows of both, where a file has no {@code gate}
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
    String postAttentionNorm,
    String postFeedForwardNorm,
    String fusedQueryKeyValue,
    String fusedGateUp,
    Experts experts,
    Set<String> ignored) {

  /**
   * Of a mixture of experts.
   *
   * @param gate one tensor for all experts, or with {@code %d} in the place of each one's index
   * @param sharedGateWeight of the gate that scales the shared expert's output
   */
  record Experts(
      String router,
      String gate,
      String up,
      String down,
      String sharedGate,
      String sharedUp,
      String sharedDown,
      String sharedGateWeight) {
    boolean isStacked() {
      return !gate.contains("%d");
    }
  }

  /** One divisor of the rotary frequency for each pair, in GGUF files. */
  static final String ROPE_DIVISORS = "rope_freqs.weight";

  static final String LONG_ROPE_DIVISORS = "rope_factors_long.weight";
  static final String SHORT_ROPE_DIVISORS = "rope_factors_short.weight";

  private static final String BIAS = ".bias";
  private static final String WEIGHT = ".weight";
  private static final String MODEL_PREFIX = "model.";

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
          "post_attention_norm",
          "post_ffw_norm",
          "attn_qkv",
          "ffn_up",
          new Experts(
              "ffn_gate_inp",
              "ffn_gate_exps",
              "ffn_up_exps",
              "ffn_down_exps",
              "ffn_gate_shexp",
              "ffn_up_shexp",
              "ffn_down_shexp",
              "ffn_gate_inp_shexp"),
          Set.of(ROPE_DIVISORS, LONG_ROPE_DIVISORS, SHORT_ROPE_DIVISORS));

  static final TensorNames HUGGING_FACE =
      huggingFace(
          "post_attention_layernorm",
          new Experts(
              "mlp.gate",
              "mlp.experts.%d.gate_proj",
              "mlp.experts.%d.up_proj",
              "mlp.experts.%d.down_proj",
              "mlp.shared_expert.gate_proj",
              "mlp.shared_expert.up_proj",
              "mlp.shared_expert.down_proj",
              "mlp.shared_expert_gate"));

  private static final TensorNames HUGGING_FACE_GEMMA =
      huggingFace("pre_feedforward_layernorm", HUGGING_FACE.experts);

  private static final TensorNames HUGGING_FACE_MIXTRAL =
      huggingFace(
          HUGGING_FACE.feedForwardNorm,
          new Experts(
              "block_sparse_moe.gate",
              "block_sparse_moe.experts.%d.w1",
              "block_sparse_moe.experts.%d.w3",
              "block_sparse_moe.experts.%d.w2",
              null,
              null,
              null,
              null));

  private static TensorNames huggingFace(String feedForwardNorm, Experts experts) {
    return new TensorNames(
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
        feedForwardNorm,
        "mlp.gate_proj",
        "mlp.up_proj",
        "mlp.down_proj",
        "post_attention_layernorm",
        "post_feedforward_layernorm",
        "self_attn.qkv_proj",
        "mlp.gate_up_proj",
        experts,
        Set.of());
  }

  /** The names in Hugging Face files of a family; embedding models often leave the prefix out. */
  static TensorNames huggingFace(Architecture architecture, TensorSource source) {
    final TensorNames names =
        architecture.isGemma()
            ? HUGGING_FACE_GEMMA
            : architecture == Architecture.MIXTRAL ? HUGGING_FACE_MIXTRAL : HUGGING_FACE;
    final boolean isBare =
        !source.has(names.tokenEmbedding) && source.has(bare(names.tokenEmbedding));
    return isBare ? names.bare() : names;
  }

  private static String bare(String name) {
    return name.substring(MODEL_PREFIX.length());
  }

  private TensorNames bare() {
    return new TensorNames(
        bare(tokenEmbedding),
        bare(outputNorm),
        outputHead,
        bare(layerPrefix),
        attentionNorm,
        query,
        key,
        value,
        attentionOutput,
        queryNorm,
        keyNorm,
        feedForwardNorm,
        gate,
        up,
        down,
        postAttentionNorm,
        postFeedForwardNorm,
        fusedQueryKeyValue,
        fusedGateUp,
        experts,
        ignored);
  }

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
