// From rows of the model file to the layouts of weights.h, once at load. repack_TYPE: a block of threads writes a unit,
// grid = units of a tile, tiles; threads = 256; no shared memory. A thread makes whole words of 4 bytes.
#include "formats.h"
#include "weights.h"

using namespace formats;
using namespace weights;

// Where a lane's word comes from: unit and tile are the block's.
struct Place {
  int row;  // row g of the lane's two
  int t;    // its block of 32 columns in a chunk
};

DEVICE Place place_of_lane(int lane) { return {static_cast<int>(blockIdx.y) * TILE_ROWS + lane / 4, lane % 4}; }

// Block `index` of a row, or null beyond the matrix.
template <int COLUMNS, int BYTES>
DEVICE const uint8_t *block_of(const RepackParams &p, int row, int index) {
  const int blocks = p.columns / COLUMNS;
  if (row >= p.rows || index >= blocks) return nullptr;
  return static_cast<const uint8_t *>(p.from) + (static_cast<size_t>(row) * blocks + index) * BYTES;
}

template <class W>
DEVICE uint32_t *unit_of(const RepackParams &p) {
  const size_t unit = static_cast<size_t>(blockIdx.y) * gridDim.x + blockIdx.x;
  return static_cast<uint32_t *>(p.to) + unit * (W::UNIT_BYTES / 4);
}

// ---- Floats of 16 or 32 bits to bf16

struct Bf16Value {
  uint16_t bits;
  DEVICE uint32_t bf16() const { return bits; }
};
struct F16Value {
  uint16_t bits;
  DEVICE uint32_t bf16() const { return float_to_bf16(half_to_float(bits)); }
};
struct F32Value {
  float value;
  DEVICE uint32_t bf16() const { return float_to_bf16(value); }
};

template <class Value>
DEVICE void repack_floats(const RepackParams &p) {
  uint32_t *to = unit_of<Bf16Weights>(p);
  const Value *from = static_cast<const Value *>(p.from);
  for (int word = threadIdx.x; word < Bf16Weights::UNIT_BYTES / 4; word += blockDim.x) {
    const Place place = place_of_lane(word / 4 % WARP);
    const int row = place.row + word % 2 * 8;
    const int step = word / 4 / WARP;
    const int column = blockIdx.x * CHUNK + place.t * LANE_COLUMNS + step * 4 + word / 2 % 2 * 2;
    uint32_t pair = 0;
    if (row < p.rows && column < p.columns) {
      const Value *values = from + static_cast<size_t>(row) * p.columns + column;
      pair = values[0].bf16() | values[1].bf16() << 16;
    }
    to[word] = pair;
  }
}

KERNEL(repack_bf16, 256, RepackParams) { repack_floats<Bf16Value>(p); }
KERNEL(repack_f16, 256, RepackParams) { repack_floats<F16Value>(p); }
KERNEL(repack_f32, 256, RepackParams) { repack_floats<F32Value>(p); }

// ---- Q8_0

DEVICE uint32_t q8_0_scale(const RepackParams &p, int row, int t) {
  const uint8_t *block = block_of<Q8_0_COLUMNS, Q8_0_BYTES>(p, row, blockIdx.x * 4 + t);
  return block == nullptr ? 0 : sixteen(block);
}

DEVICE uint32_t q8_0_word(const RepackParams &p, int word) {
  if (word >= 512) {
    const Place place = place_of_lane(word - 512);
    return q8_0_scale(p, place.row, place.t) | q8_0_scale(p, place.row + 8, place.t) << 16;
  }
  const Place place = place_of_lane(word / 4 % WARP);
  const int step = word / 128 * 2 + word / 2 % 2;
  const uint8_t *block = block_of<Q8_0_COLUMNS, Q8_0_BYTES>(p, place.row + word % 2 * 8, blockIdx.x * 4 + place.t);
  if (block == nullptr) return 0;
  const uint8_t *values = block + 2 + step * 4;
  return (sixteen(values) | sixteen(values + 2) << 16) ^ 0x80808080u;
}

KERNEL(repack_q8_0, 256, RepackParams) {
  uint32_t *to = unit_of<Q8_0Weights>(p);
  for (int word = threadIdx.x; word < Q8_0Weights::UNIT_BYTES / 4; word += blockDim.x) to[word] = q8_0_word(p, word);
}

// ---- F8_E4M3

DEVICE const uint8_t *f8_block(const RepackParams &p, int row) {
  if (row >= p.rows) return nullptr;
  return static_cast<const uint8_t *>(p.from) + (static_cast<size_t>(row) * gridDim.x + blockIdx.x) * F8_E4M3_BYTES;
}

DEVICE uint32_t f8_word(const RepackParams &p, int word) {
  if (word >= 512) {
    const int g = (word - 512) / 2;
    const uint8_t *block = f8_block(p, blockIdx.y * TILE_ROWS + g + word % 2 * 8);
    return block == nullptr ? 0 : *reinterpret_cast<const uint32_t *>(block);
  }
  const Place place = place_of_lane(word / 4 % WARP);
  const int step = word / 128 * 2 + word / 2 % 2;
  const uint8_t *block = f8_block(p, place.row + word % 2 * 8);
  if (block == nullptr) return 0;
  const uint32_t codes = *reinterpret_cast<const uint32_t *>(block + 4 + place.t * LANE_COLUMNS + step * 4);
  return __byte_perm(codes, 0, 0x1302);
}

KERNEL(repack_f8_e4m3, 256, RepackParams) {
  uint32_t *to = unit_of<F8_E4M3Weights>(p);
  for (int word = threadIdx.x; word < F8_E4M3Weights::UNIT_BYTES / 4; word += blockDim.x) to[word] = f8_word(p, word);
}

// ---- Q4_K

DEVICE uint32_t q4_k_nibbles(const RepackParams &p, int word) {
  const Place place = place_of_lane(word / 4 % WARP);
  const uint8_t *block = block_of<Q4_K_COLUMNS, Q4_K_BYTES>(p, place.row + word / 2 % 2 * 8, blockIdx.x);
  if (block == nullptr) return 0;
  const int piece = word / 128;
  const int column = piece / 2 * CHUNK + place.t * LANE_COLUMNS + piece % 2 * 16 + word % 2 * 8;
  uint32_t nibbles = 0;
  for (int i = 0; i < 8; i++) nibbles |= q4_k_nibble(block, column + i) << (i / 2 * 4 + i % 2 * 16);
  return nibbles;
}

DEVICE uint32_t q4_k_header(const RepackParams &p, int lane, int chunk) {
  const Place place = place_of_lane(lane);
  uint32_t header = 0;
  for (int row = 0; row < 2; row++) {
    const uint8_t *block = block_of<Q4_K_COLUMNS, Q4_K_BYTES>(p, place.row + row * 8, blockIdx.x);
    if (block == nullptr) continue;
    const int group = chunk * 4 + place.t;
    header |= (q4_k_scale(block, group) | q4_k_minimum(block, group) << 6) << (row * 12);
    if (place.t / 2 == row) header |= static_cast<uint32_t>(block[place.t % 2 * 2 + chunk]) << 24;
  }
  return header;
}

KERNEL(repack_q4_k, 256, RepackParams) {
  uint32_t *to = unit_of<Q4_KWeights>(p);
  for (int word = threadIdx.x; word < Q4_KWeights::UNIT_BYTES / 4; word += blockDim.x) {
    to[word] = word < 512 ? q4_k_nibbles(p, word) : q4_k_header(p, (word - 512) / 2, word % 2);
  }
}

// ---- Q6_K

DEVICE uint32_t q6_k_low_word(const RepackParams &p, int word) {
  const Place place = place_of_lane(word / 4 % WARP);
  const uint8_t *block = block_of<Q6_K_COLUMNS, Q6_K_BYTES>(p, place.row + word / 2 % 2 * 8, blockIdx.x);
  if (block == nullptr) return 0;
  const int piece = word / 128;
  const int column = piece / 2 * CHUNK + place.t * LANE_COLUMNS + piece % 2 * 16 + word % 2 * 8;
  uint32_t nibbles = 0;
  for (int i = 0; i < 8; i++) nibbles |= q6_k_low(block, column + i) << (i % 4 * 8 + i / 4 * 4);
  return nibbles;
}

DEVICE uint32_t q6_k_high_word(const RepackParams &p, int word) {
  const Place place = place_of_lane(word / 4 % WARP);
  const uint8_t *block = block_of<Q6_K_COLUMNS, Q6_K_BYTES>(p, place.row + word % 2 * 8, blockIdx.x);
  if (block == nullptr) return 0;
  const int column = word / 128 * CHUNK + place.t * LANE_COLUMNS + word / 2 % 2 * 16;
  uint32_t bits = 0;
  for (int i = 0; i < 16; i++) bits |= q6_k_high(block, column + i) << (i % 4 * 8 + i / 4 * 2);
  return bits;
}

DEVICE uint32_t q6_k_scales(const RepackParams &p, int lane, int chunk) {
  const Place place = place_of_lane(lane);
  uint32_t scales = 0;
  for (int i = 0; i < 4; i++) {
    const uint8_t *block = block_of<Q6_K_COLUMNS, Q6_K_BYTES>(p, place.row + i / 2 * 8, blockIdx.x);
    if (block == nullptr) continue;
    scales |= static_cast<uint32_t>(q6_k_scale(block, chunk * 8 + place.t * 2 + i % 2) + 128) << (i * 8);
  }
  return scales;
}

DEVICE uint32_t q6_k_halves(const RepackParams &p, int g) {
  uint32_t halves = 0;
  for (int row = 0; row < 2; row++) {
    const uint8_t *block = block_of<Q6_K_COLUMNS, Q6_K_BYTES>(p, blockIdx.y * TILE_ROWS + g + row * 8, blockIdx.x);
    if (block != nullptr) halves |= sixteen(block + 208) << (row * 16);
  }
  return halves;
}

DEVICE uint32_t q6_k_word(const RepackParams &p, int word) {
  if (word < 512) return q6_k_low_word(p, word);
  if (word < 768) return q6_k_high_word(p, word - 512);
  if (word < 832) return q6_k_scales(p, (word - 768) / 2, word % 2);
  return q6_k_halves(p, word - 832);
}

KERNEL(repack_q6_k, 256, RepackParams) {
  uint32_t *to = unit_of<Q6_KWeights>(p);
  for (int word = threadIdx.x; word < Q6_KWeights::UNIT_BYTES / 4; word += blockDim.x) to[word] = q6_k_word(p, word);
}
