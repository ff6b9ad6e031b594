// Q4_0: 4-bit weights less 8, one scale for 32.
//
//   uint16_t  scales[columns / 32][16]           halves, padded to 64 bytes
//   uint8_t   weights[columns / 32][4][16][4]    columns 4 i to 4 i + 3 in the low halves of byte
//                                                vector i, 16 columns later in the high halves
//
//   sum = fma(float(sum over 32 of weight * quant), scale(weights) * scale(inputs), sum)
#include "lanes.h"
#include "rows.h"

#define MULTIPLY stator_multiply_q4_0
#define PANEL_BYTES stator_panel_bytes_q4_0
#define DOT dot
#define DOT_GROUPS 1
#define AHEAD 4096

INLINE long scale_bytes(long columns) { return (columns / BLOCK * 32 + 63) / 64 * 64; }
INLINE long panel_bytes(long columns) { return scale_bytes(columns) + columns / 2 * PANEL_ROWS; }

struct weights {
  ints quants[8];
  floats scale;
};

INLINE struct weights unpack(const uint8_t *panel, long columns, long b, int part) {
  struct weights w;
  const uint8_t *at = panel + scale_bytes(columns) + b * 256;
  const ints low = all_bytes(15);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const ints both = load_bytes(at + i * 64 + part * 4 * LANES);
    w.quants[i] = and_bits(both, low);
    w.quants[i + 4] = and_bits(shift_right(both, 4), low);
    _mm_prefetch(at + i * 64 + AHEAD, _MM_HINT_T0);
  }
  w.scale = widen_halves(panel + b * 32 + part * 2 * LANES);
  return w;
}

INLINE ints start(const struct block *block, int group) {
  (void)group;
  return all_ints(-8 * block->sum);
}

INLINE floats finish(const struct weights *w, const ints *dots, const struct block *block,
                     floats sum) {
  return multiply_add(to_floats(dots[0]), multiply(w->scale, all_floats(block->scale)), sum);
}

#include "multiply.inc"
