// x[token] = row tokens[token] of the embedding, as WeightDecoder.java decodes it to the bit, times scale: embed_TYPE, a block
// of threads a token; grid = tokens, threads <= 256; no shared memory. A thread takes columns t, t + threads, ...
#include "formats.h"

using namespace formats;

struct F32Row {
  static constexpr int COLUMNS = 1, BYTES = 4;
  static DEVICE float value(const uint8_t *block, int) { return *reinterpret_cast<const float *>(block); }
};

struct F16Row {
  static constexpr int COLUMNS = 1, BYTES = 2;
  static DEVICE float value(const uint8_t *block, int) { return half_at(block); }
};

struct Bf16Row {
  static constexpr int COLUMNS = 1, BYTES = 2;
  static DEVICE float value(const uint8_t *block, int) { return bf16_to_float(static_cast<uint16_t>(sixteen(block))); }
};

struct Q8_0Row {
  static constexpr int COLUMNS = Q8_0_COLUMNS, BYTES = Q8_0_BYTES;
  static DEVICE float value(const uint8_t *block, int column) {
    return static_cast<float>(static_cast<int8_t>(block[2 + column])) * half_at(block);
  }
};

struct Q4_KRow {
  static constexpr int COLUMNS = Q4_K_COLUMNS, BYTES = Q4_K_BYTES;
  static DEVICE float value(const uint8_t *block, int column) {
    const float scale = half_at(block) * static_cast<float>(q4_k_scale(block, column / 32));
    const float minimum = half_at(block + 2) * static_cast<float>(q4_k_minimum(block, column / 32));
    return scale * static_cast<float>(q4_k_nibble(block, column)) - minimum;
  }
};

struct Q6_KRow {
  static constexpr int COLUMNS = Q6_K_COLUMNS, BYTES = Q6_K_BYTES;
  static DEVICE float value(const uint8_t *block, int column) {
    const float scale = half_at(block + 208) * static_cast<float>(q6_k_scale(block, column / 16));
    const int q = static_cast<int>(q6_k_low(block, column) | q6_k_high(block, column) << 4) - 32;
    return scale * static_cast<float>(q);
  }
};

template <class Row>
DEVICE void embed(const EmbedParams &p) {
  const size_t rowBytes = static_cast<size_t>(p.hidden / Row::COLUMNS) * Row::BYTES;
  const uint8_t *row = static_cast<const uint8_t *>(p.weights) + p.tokens[blockIdx.x] * rowBytes;
  float *x = p.x + static_cast<size_t>(blockIdx.x) * p.hidden;
  for (int column = threadIdx.x; column < p.hidden; column += blockDim.x) {
    const uint8_t *block = row + static_cast<size_t>(column / Row::COLUMNS) * Row::BYTES;
    x[column] = Row::value(block, column % Row::COLUMNS) * p.scale;
  }
}

KERNEL(embed_f32, 256, EmbedParams) { embed<F32Row>(p); }
KERNEL(embed_f16, 256, EmbedParams) { embed<F16Row>(p); }
KERNEL(embed_bf16, 256, EmbedParams) { embed<Bf16Row>(p); }
KERNEL(embed_q8_0, 256, EmbedParams) { embed<Q8_0Row>(p); }
KERNEL(embed_q4_k, 256, EmbedParams) { embed<Q4_KRow>(p); }
KERNEL(embed_q6_k, 256, EmbedParams) { embed<Q6_KRow>(p); }
