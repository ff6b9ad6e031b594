// Q6_K: 6-bit weights less 32; an 8-bit scale for 16, a half for 256.
//
//   uint16_t  halves[columns / 256][16]          padded to 64 bytes
//   int8_t    scales[columns / 16][16]
//   uint8_t   weights[columns / 32][6][16][4]    low four bits as in q4_0.c; then two vectors: bits
//                                                2 i and 2 i + 1 of a byte of vector v are the high
//                                                bits of columns 16 v + 4 i to 16 v + 4 i + 3
//
//   dots = scale * (sum over 16 of weight * quant) + the same of the next 16, in integers
//   sum = fma(float(dots), half * scale(inputs), sum)
#include "lanes.h"
#include "rows.h"

#define MULTIPLY stator_multiply_q6_k
#define PANEL_BYTES stator_panel_bytes_q6_k
#define DOT dot
#define DOT_GROUPS 2
#define AHEAD 4096

INLINE long half_bytes(long columns) { return (columns / 256 * 32 + 63) / 64 * 64; }
INLINE long scale_bytes(long columns) { return columns; }
INLINE long panel_bytes(long columns) {
  return half_bytes(columns) + scale_bytes(columns) + columns / BLOCK * 384;
}

struct weights {
  ints quants[8];
  ints scales[2];
  floats half;
};

INLINE struct weights unpack(const uint8_t *panel, long columns, long b, int part) {
  struct weights w;
  const uint8_t *scales = panel + half_bytes(columns) + b * 32 + part * LANES;
  const uint8_t *at = panel + half_bytes(columns) + scale_bytes(columns) + b * 384;
  const ints low = all_bytes(15);
  const ints high = all_bytes(48);
  const ints early = load_bytes(at + 256 + part * 4 * LANES);
  const ints late = load_bytes(at + 320 + part * 4 * LANES);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const ints both = load_bytes(at + i * 64 + part * 4 * LANES);
    const ints first = i < 2 ? shift_left(early, 4 - 2 * i) : shift_right(early, 2 * i - 4);
    const ints second = i < 2 ? shift_left(late, 4 - 2 * i) : shift_right(late, 2 * i - 4);
    w.quants[i] = or_bits(and_bits(both, low), and_bits(first, high));
    w.quants[i + 4] = or_bits(and_bits(shift_right(both, 4), low), and_bits(second, high));
  }
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) _mm_prefetch(at + i * 64 + AHEAD, _MM_HINT_T0);
  w.scales[0] = widen_signed(scales);
  w.scales[1] = widen_signed(scales + 16);
  w.half = widen_halves(panel + b / 8 * 32 + part * 2 * LANES);
  return w;
}

INLINE ints start(const struct block *block, int group) {
  return all_ints(-32 * (group == 0 ? block->half_sum : block->sum - block->half_sum));
}

INLINE floats finish(const struct weights *w, const ints *dots, const struct block *block,
                     floats sum) {
  const ints scaled =
      add_ints(multiply_ints(dots[0], w->scales[0]), multiply_ints(dots[1], w->scales[1]));
  return multiply_add(to_floats(scaled), multiply(w->half, all_floats(block->scale)), sum);
}

#include "multiply.inc"
