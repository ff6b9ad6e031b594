// Weights as they lie in a GGUF file: the bytes of blocks, drawn in WeightDecoder.java. A block is aligned to 2 bytes only. But
// for F8_E4M3, whose factors lie elsewhere in its file: its blocks are made by the host, aligned to 4 bytes.
#ifndef STATOR_FORMATS_H
#define STATOR_FORMATS_H

#include "stator.h"

namespace formats {

constexpr int Q8_0_COLUMNS = 32, Q8_0_BYTES = 34;
constexpr int Q4_K_COLUMNS = 256, Q4_K_BYTES = 144;
constexpr int Q6_K_COLUMNS = 256, Q6_K_BYTES = 210;
constexpr int F8_E4M3_COLUMNS = 128, F8_E4M3_BYTES = 132;  // A factor, float32, then codes; a row's last block is filled with zeros.

// The 16 bits at `from`.
DEVICE uint32_t sixteen(const uint8_t *from) { return from[0] | static_cast<uint32_t>(from[1]) << 8; }

DEVICE float half_at(const uint8_t *from) { return half_to_float(static_cast<uint16_t>(sixteen(from))); }

// ---- Q4_K: f16 scale, f16 minimum, 12 bytes of 6-bit scales and minimums of 8 groups, 128 bytes of nibbles

DEVICE uint32_t q4_k_scale(const uint8_t *block, int group) {
  const uint8_t *packed = block + 4;
  return group < 4 ? packed[group] & 63 : (packed[group + 4] & 15) | packed[group - 4] >> 6 << 4;
}

DEVICE uint32_t q4_k_minimum(const uint8_t *block, int group) {
  const uint8_t *packed = block + 4;
  return group < 4 ? packed[group + 4] & 63 : packed[group + 4] >> 4 | packed[group] >> 6 << 4;
}

DEVICE uint32_t q4_k_nibble(const uint8_t *block, int column) {
  return block[16 + column / 64 * 32 + column % 32] >> (column / 32 % 2 * 4) & 15;
}

// ---- Q6_K: 128 bytes of low nibbles, 64 of high two bits, 16 signed scales, f16 scale

DEVICE uint32_t q6_k_low(const uint8_t *block, int column) {
  return block[column / 128 * 64 + column % 64] >> (column / 64 % 2 * 4) & 15;
}

DEVICE uint32_t q6_k_high(const uint8_t *block, int column) {
  return block[128 + column / 128 * 32 + column % 32] >> (column / 32 % 4 * 2) & 3;
}

DEVICE int q6_k_scale(const uint8_t *block, int group) { return static_cast<int8_t>(block[192 + group]); }

}  // namespace formats

#endif
