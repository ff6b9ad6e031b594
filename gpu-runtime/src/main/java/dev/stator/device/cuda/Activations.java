package dev.stator.device.cuda;

import dev.stator.model.ModelConfig;

/**
 * Device memory of a step's activations, one row a token.
 *
 * @param x float32 [tokens][hidden], the residual stream
 * @param normed bf16 [tokens][hidden]
 * @param queryKeyValue float32 [tokens][query | key | value]
 * @param query bf16 [tokens][query], rotated
 * @param attended bf16 [tokens][query]
 * @param gateUp float32 [tokens][gate | up]
 * @param gated bf16 [tokens][intermediate]
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
  static Activations take(DeviceMemory memory, ModelConfig config, int tokens, int logitsMax) {
    final String what = "workspace for " + tokens + " tokens a step";
    final long hidden = config.hiddenSize();
    final long query = config.querySize();
    final long queryKeyValue = query + 2L * config.keyValueSize();
    final long intermediate = config.intermediateSize();
    return new Activations(
        memory.take(what, tokens * hidden * Float.BYTES),
        memory.take(what, tokens * hidden * Short.BYTES),
        memory.take(what, tokens * queryKeyValue * Float.BYTES),
        memory.take(what, tokens * query * Short.BYTES),
        memory.take(what, tokens * query * Short.BYTES),
        memory.take(what, tokens * 2 * intermediate * Float.BYTES),
        memory.take(what, tokens * intermediate * Short.BYTES),
        memory.take(what, tokens * hidden * Float.BYTES),
        memory.take(what, (long) logitsMax * config.vocabularySize() * Float.BYTES));
  }
}
