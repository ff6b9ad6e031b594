// Queries, keys and values between the projections and attention: a warp a head of a token.
//
// The head norm's sum has one order: lane t takes values t, t + 32, ... in order, by fused multiply-adds; lanes are added 16, 8,
// 4, 2, 1 apart. A rotation is two products and their sum for each value, each rounded.
#include "stator.h"

constexpr int ROTATE_THREADS = 128;
constexpr int BLOCK_TOKENS = 16;

// A head's values as they come out of the norm, or as they are where there is none.
struct Head {
  const float *x;
  const float *norm;
  float scale;

  DEVICE float value(int i) const { return norm == nullptr ? x[i] : x[i] * scale * norm[i]; }
};

DEVICE Head norm_head(const float *x, const float *norm, int size, float epsilon) {
  Head head = {x, norm, 1};
  if (norm == nullptr) return head;
  float sum = 0;
  for (int i = threadIdx.x % WARP; i < size; i += WARP) sum = fmaf(x[i], x[i], sum);
  head.scale = 1 / sqrtf(warp_sum(sum) / size + epsilon);
  return head;
}

// Gives each value of a rotated head to store(index, value).
template <typename Store>
DEVICE void rotate(const RotateStoreParams &p, const Head &head, int position, Store store) {
  const int pairs = p.rotatedSize / 2;
  const int step = p.isInterleaved ? 2 : 1;
  const int other = p.isInterleaved ? 1 : pairs;
  const int64_t table = static_cast<int64_t>(position) * pairs;
  for (int i = threadIdx.x % WARP; i < pairs; i += WARP) {
    const float a = head.value(i * step);
    const float b = head.value(i * step + other);
    const float cosine = p.cosines[table + i];
    const float sine = p.sines[table + i];
    store(i * step, a * cosine - b * sine);
    store(i * step + other, b * cosine + a * sine);
  }
  for (int i = p.rotatedSize + threadIdx.x % WARP; i < p.headSize; i += WARP) store(i, head.value(i));
}

// Where the layer's keys of a head begin in the token's KV block; values of head h are keys of head kvHeads + h.
DEVICE uint16_t *kv_head(const RotateStoreParams &p, int token, int position, int head) {
  const int block = p.blockTable[p.tableStart[token] + position / BLOCK_TOKENS];
  uint8_t *layer = static_cast<uint8_t *>(p.pool) + static_cast<int64_t>(block) * p.blockBytes + p.layerOffset;
  return reinterpret_cast<uint16_t *>(layer) + static_cast<int64_t>(head) * p.headSize * BLOCK_TOKENS;
}

KERNEL(rotate_store, ROTATE_THREADS, RotateStoreParams) {
  const int token = blockIdx.x;
  const int head = blockIdx.y * (ROTATE_THREADS / WARP) + threadIdx.x / WARP;
  const int all_heads = p.heads + 2 * p.kvHeads;
  if (head >= all_heads) return;
  const int position = p.positions[token];
  const float *x = p.queryKeyValue + (static_cast<int64_t>(token) * all_heads + head) * p.headSize;
  if (head < p.heads) {
    uint16_t *to = p.query + (static_cast<int64_t>(token) * p.heads + head) * p.headSize;
    const Head normed = norm_head(x, p.queryNorm, p.headSize, p.epsilon);
    rotate(p, normed, position, [to](int i, float value) { to[i] = float_to_bf16(value); });
    return;
  }
  const int slot = position % BLOCK_TOKENS;
  uint16_t *to = kv_head(p, token, position, head - p.heads);
  if (head < p.heads + p.kvHeads) {
    const Head normed = norm_head(x, p.keyNorm, p.headSize, p.epsilon);
    rotate(p, normed, position,
           [to, slot](int i, float value) { to[i * BLOCK_TOKENS + slot] = float_to_bf16(value); });
    return;
  }
  for (int i = threadIdx.x % WARP; i < p.headSize; i += WARP) to[slot * p.headSize + i] = float_to_bf16(x[i]);
}
