// Q4_K: 4-bit weights; a 6-bit scale and minimum for 32, a half for each of them for 256.
//
//   uint16_t  halves[columns / 256][2][16]       scales of the scales, of the minimums
//   uint8_t   scales[columns / 32][2][16]        scales, minimums
//   uint8_t   weights[columns / 32][4][16][4]    as in q4_0.c
//
//   sum = fma(float(sum over 32 of weight * quant), (half * scale) * scale(inputs), sum)
//   sum = fma(-(half * minimum), scaled_sum(inputs), sum)
#include "lanes.h"
#include "rows.h"

#define MULTIPLY stator_multiply_q4_k
#define PANEL_BYTES stator_panel_bytes_q4_k
#define AHEAD 4096

INLINE long half_bytes(long columns) { return columns / 256 * 64; }
INLINE long scale_bytes(long columns) { return columns / BLOCK * 32; }
INLINE long panel_bytes(long columns) {
  return half_bytes(columns) + scale_bytes(columns) + columns / 2 * PANEL_ROWS;
}

struct weights {
  ints quants[8];
  floats scale;
  floats minimum;
};

INLINE struct weights unpack(const uint8_t *panel, long columns, long b, int part) {
  struct weights w;
  const uint8_t *halves = panel + b / 8 * 64 + part * 2 * LANES;
  const uint8_t *scales = panel + half_bytes(columns) + b * 32 + part * LANES;
  const uint8_t *at = panel + half_bytes(columns) + scale_bytes(columns) + b * 256;
  const ints low = all_bytes(15);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const ints both = load_bytes(at + i * 64 + part * 4 * LANES);
    w.quants[i] = and_bits(both, low);
    w.quants[i + 4] = and_bits(shift_right(both, 4), low);
    _mm_prefetch(at + i * 64 + AHEAD, _MM_HINT_T0);
  }
  w.scale = multiply(widen_halves(halves), to_floats(widen_unsigned(scales)));
  w.minimum = multiply(widen_halves(halves + 32), to_floats(widen_unsigned(scales + 16)));
  return w;
}

INLINE floats accumulate(const struct weights *w, const int8_t *x, const struct block *block,
                         floats sum) {
  ints dots = all_ints(0);
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) dots = dot(dots, w->quants[i], x + 4 * i);
  sum = multiply_add(to_floats(dots), multiply(w->scale, all_floats(block->scale)), sum);
  return subtract_product(w->minimum, all_floats(block->scaled_sum), sum);
}

#include "multiply.inc"
