package dev.stator.device.cuda;

import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;

/**
 * Device memory of a step's activations, one row a token.
 *
 * @param x float32 [tokens][hidden], the residual stream
 * @param normed bf16 [tokens][hidden]
 * @param queryKeyValue float32 [tokens][query | key | value]
 * @param query bf16 [tokens][query], rotated
 * @param attended bf16 [tokens][query]
 * @param gateUp float32 [tokens][gate | up], of the dense layer or the shared expert; 0 without
 * @param gated bf16 [tokens][intermediate], likewise
 * @param projected float32 [tokens][hidden]
 * @param logits float32 [tokens that want them][vocabulary]
 */
record Activations(
    long x,
    long normed,
    long queryKeyValue,
    long query,
    long attended,
    long gateUp,
    long gated,
    long projected,
    long logits) {
  /** Bytes of one token's row in all but the logits. */
  static long rowBytes(ModelConfig config) {
    final long query = config.querySize();
    final long inner = gatedSize(config);
    final long floats = 2L * config.hiddenSize() + query + 2L * config.keyValueSize() + 2 * inner;
    return floats * Float.BYTES + (config.hiddenSize() + 2 * query + inner) * Short.BYTES;
  }

  /** Values of a row of {@code gated}; 0 without a dense layer and a shared expert. */
  static int gatedSize(ModelConfig config) {
    final FeedForwardVariant.Experts experts = config.feedForward().experts();
    return experts == null ? config.intermediateSize() : experts.sharedSize();
  }

  static Activations take(DeviceMemory memory, ModelConfig config, int tokens, int logitsMax) {
    final String what = "workspace for " + tokens + " tokens a step";
    final long hidden = config.hiddenSize();
    final long query = config.querySize();
    final long queryKeyValue = query + 2L * config.keyValueSize();
    final long intermediate = gatedSize(config);
    return new Activations(
        memory.take(what, tokens * hidden * Float.BYTES),
        memory.take(what, tokens * hidden * Short.BYTES),
        memory.take(what, tokens * queryKeyValue * Float.BYTES),
        memory.take(what, tokens * query * Short.BYTES),
        memory.take(what, tokens * query * Short.BYTES),
        intermediate == 0 ? 0 : memory.take(what, tokens * 2 * intermediate * Float.BYTES),
        intermediate == 0 ? 0 : memory.take(what, tokens * intermediate * Short.BYTES),
        memory.take(what, tokens * hidden * Float.BYTES),
        memory.take(what, (long) logitsMax * config.vocabularySize() * Float.BYTES));
  }
}
