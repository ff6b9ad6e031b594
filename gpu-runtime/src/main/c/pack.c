// Repacks rows of a GGUF tensor into a panel of 16. A row that does not exist has scales of 0.
//
// Each function takes the first row's bytes, rows (1 to 16), columns and the panel, and returns the
// first row with a scale that is not finite, or -1.
#include "rows.h"

#include <string.h>

#define PANEL_ROWS 16
#define SUPER 256

static uint16_t half_at(const uint8_t *from) {
  uint16_t bits;
  memcpy(&bits, from, 2);
  return bits;
}

static int is_finite(uint16_t half) { return (half & 0x7c00) != 0x7c00; }

static void put_half(uint8_t *to, uint16_t half) { memcpy(to, &half, 2); }

static long aligned(long bytes) { return (bytes + 63) / 64 * 64; }

static uint32_t four_at(const uint8_t *from) {
  uint32_t bytes;
  memcpy(&bytes, from, 4);
  return bytes;
}

static void put_four(uint8_t *to, uint32_t bytes) { memcpy(to, &bytes, 4); }

// Zeros, unless every row will be written.
static void clear(uint8_t *panel, long rows, long bytes) {
  if (rows < PANEL_ROWS) memset(panel, 0, (size_t)bytes);
}

// The low four bits of 32 weights of a row.
static void put_low(uint8_t *to, long row, const uint8_t *quants) {
  const uint32_t low = 0x0f0f0f0f;
  for (int i = 0; i < 4; i++) {
    const uint32_t first = four_at(quants + 4 * i) & low;
    const uint32_t second = four_at(quants + 16 + 4 * i) & low;
    put_four(to + i * 64 + row * 4, first | second << 4);
  }
}

typedef void unpacker(const uint8_t *block, uint8_t *quants);

static void q8_0_quants(const uint8_t *block, uint8_t *quants) {
  for (int i = 0; i < BLOCK; i++) quants[i] = block[i] ^ 0x80;
}

static void q5_0_quants(const uint8_t *block, uint8_t *quants) {
  uint32_t fifth;
  memcpy(&fifth, block, 4);
  for (int i = 0; i < 16; i++) {
    const int byte = block[4 + i];
    quants[i] = (uint8_t)(((byte & 15) | (fifth >> i & 1) << 4) - 16 + 128);
    quants[i + 16] = (uint8_t)((byte >> 4 | (fifth >> (i + 16) & 1) << 4) - 16 + 128);
  }
}

static void iq4_nl_quants(const uint8_t *block, uint8_t *quants) {
  static const int8_t values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                    1,    13,   25,  38,  53,  69,  89,  113};
  for (int i = 0; i < 16; i++) {
    quants[i] = (uint8_t)(values[block[i] & 15] + 128);
    quants[i + 16] = (uint8_t)(values[block[i] >> 4] + 128);
  }
}

static long pack_8_bit(const uint8_t *source, long rows, long columns, uint8_t *panel,
                       long block_bytes, unpacker *unpack) {
  const long blocks = columns / BLOCK;
  uint8_t *weights = panel + aligned(blocks * 32);
  long bad = -1;
  clear(panel, rows, weights - panel + columns * PANEL_ROWS);
  for (long row = 0; row < rows; row++) {
    for (long b = 0; b < blocks; b++) {
      const uint8_t *from = source + (row * blocks + b) * block_bytes;
      uint8_t quants[BLOCK];
      unpack(from + 2, quants);
      if (bad < 0 && !is_finite(half_at(from))) bad = row;
      put_half(panel + b * 32 + row * 2, half_at(from));
      for (int i = 0; i < 8; i++) {
        put_four(weights + b * 512 + i * 64 + row * 4, four_at(quants + 4 * i));
      }
    }
  }
  return bad;
}

long stator_pack_q8_0(const uint8_t *source, long rows, long columns, uint8_t *panel) {
  return pack_8_bit(source, rows, columns, panel, 34, q8_0_quants);
}

long stator_pack_q5_0(const uint8_t *source, long rows, long columns, uint8_t *panel) {
  return pack_8_bit(source, rows, columns, panel, 22, q5_0_quants);
}

long stator_pack_iq4_nl(const uint8_t *source, long rows, long columns, uint8_t *panel) {
  return pack_8_bit(source, rows, columns, panel, 18, iq4_nl_quants);
}

long stator_pack_q4_0(const uint8_t *source, long rows, long columns, uint8_t *panel) {
  const long blocks = columns / BLOCK;
  uint8_t *weights = panel + aligned(blocks * 32);
  long bad = -1;
  clear(panel, rows, weights - panel + columns / 2 * PANEL_ROWS);
  for (long row = 0; row < rows; row++) {
    for (long b = 0; b < blocks; b++) {
      const uint8_t *from = source + (row * blocks + b) * 18;
      if (bad < 0 && !is_finite(half_at(from))) bad = row;
      put_half(panel + b * 32 + row * 2, half_at(from));
      for (int i = 0; i < 4; i++) {
        put_four(weights + b * 256 + i * 64 + row * 4, four_at(from + 2 + 4 * i));
      }
    }
  }
  return bad;
}

// The 6-bit scale and minimum of sub-block b of Q4_K and Q5_K, from their 12 bytes.
static void scale_and_minimum(const uint8_t *packed, int b, uint8_t *scale, uint8_t *minimum) {
  if (b < 4) {
    *scale = packed[b] & 63;
    *minimum = packed[b + 4] & 63;
  } else {
    *scale = (uint8_t)((packed[b + 4] & 15) | packed[b - 4] >> 6 << 4);
    *minimum = (uint8_t)(packed[b + 4] >> 4 | packed[b] >> 6 << 4);
  }
}

static void put_fifth(uint8_t *to, long row, const uint8_t *quants) {
  uint32_t bits = 0;
  for (int i = 0; i < 8; i++) bits |= (four_at(quants + 4 * i) >> 4 & 0x01010101) << i;
  put_four(to + row * 4, bits);
}

// Q4_K where fifth is 0, Q5_K where it is 32: the bytes of fifth bits in a block of 256.
static long pack_q45_k(const uint8_t *source, long rows, long columns, uint8_t *panel,
                       const int fifth) {
  const long supers = columns / SUPER;
  const long unit = fifth ? 320 : 256;
  uint8_t *scales = panel + supers * 64;
  uint8_t *weights = scales + columns;
  long bad = -1;
  clear(panel, rows, weights - panel + columns / BLOCK * unit);
  for (long row = 0; row < rows; row++) {
    for (long s = 0; s < supers; s++) {
      const uint8_t *from = source + (row * supers + s) * (144 + fifth);
      if (bad < 0 && !(is_finite(half_at(from)) && is_finite(half_at(from + 2)))) bad = row;
      put_half(panel + s * 64 + row * 2, half_at(from));
      put_half(panel + s * 64 + 32 + row * 2, half_at(from + 2));
      for (int b = 0; b < 8; b++) {
        uint8_t *pair = scales + (s * 8 + b) * 32 + row;
        scale_and_minimum(from + 4, b, pair, pair + 16);
        const uint8_t *low = from + 16 + fifth + b / 2 * 32;
        uint8_t quants[BLOCK];
        for (int i = 0; i < BLOCK; i++) {
          quants[i] = b % 2 ? low[i] >> 4 : low[i] & 15;
          if (fifth) quants[i] |= (uint8_t)((from[16 + i] >> b & 1) << 4);
        }
        put_low(weights + (s * 8 + b) * unit, row, quants);
        if (fifth) put_fifth(weights + (s * 8 + b) * unit + 256, row, quants);
      }
    }
  }
  return bad;
}

long stator_pack_q4_k(const uint8_t *source, long rows, long columns, uint8_t *panel) {
  return pack_q45_k(source, rows, columns, panel, 0);
}

long stator_pack_q5_k(const uint8_t *source, long rows, long columns, uint8_t *panel) {
  return pack_q45_k(source, rows, columns, panel, 32);
}

// Weights [32 b, 32 b + 32) of a block of Q6_K: 128 bytes of low bits, then 64 of high bits.
static void q6_k_quants(const uint8_t *block, int b, uint8_t *quants) {
  const uint8_t *low = block + b / 4 * 64 + b % 2 * 32;
  const uint8_t *high = block + 128 + b / 4 * 32;
  const int is_upper = b % 4 / 2;
  for (int i = 0; i < BLOCK; i++) {
    const int four = is_upper ? low[i] >> 4 : low[i] & 15;
    quants[i] = (uint8_t)(four | (high[i] >> (b % 4 * 2) & 3) << 4);
  }
}

static void put_high(uint8_t *to, long row, const uint8_t *quants) {
  for (int half = 0; half < 2; half++) {
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) {
      bits |= (four_at(quants + 16 * half + 4 * i) >> 4 & 0x03030303) << (2 * i);
    }
    put_four(to + half * 64 + row * 4, bits);
  }
}

long stator_pack_q6_k(const uint8_t *source, long rows, long columns, uint8_t *panel) {
  const long supers = columns / SUPER;
  uint8_t *scales = panel + aligned(supers * 32);
  uint8_t *weights = scales + columns;
  long bad = -1;
  clear(panel, rows, weights - panel + columns / BLOCK * 384);
  for (long row = 0; row < rows; row++) {
    for (long s = 0; s < supers; s++) {
      const uint8_t *from = source + (row * supers + s) * 210;
      if (bad < 0 && !is_finite(half_at(from + 208))) bad = row;
      put_half(panel + s * 32 + row * 2, half_at(from + 208));
      for (int i = 0; i < 16; i++) scales[(s * 16 + i) * 16 + row] = from[192 + i];
      for (int b = 0; b < 8; b++) {
        uint8_t quants[BLOCK];
        uint8_t *to = weights + (s * 8 + b) * 384;
        q6_k_quants(from, b, quants);
        put_low(to, row, quants);
        put_high(to + 256, row, quants);
      }
    }
  }
  return bad;
}
