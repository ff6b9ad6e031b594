// The product of BF16 panels and rows, see bf16.c:
//
//   sum = fma(weight[2 i], x[2 i], fma(weight[2 i + 1], x[2 i + 1], sum)), i = 0, 1, ...
//
// where denormal factors and sums count as zeros. Only for processors with an instruction for it:
// without one, float32 inputs are as fast.
#include "bf16.h"

#define AHEAD 2048
#define PAIRS (BLOCK / 2)

INLINE floats dot_pairs(floats sum, ints weights, const uint16_t *x) {
  return _mm512_dpbf16_ps(sum, (__m512bh)weights, (__m512bh)all_ints(load_int(x)));
}

INLINE void multiply_tile(const uint8_t *data, const int panels, long columns, const uint16_t *rows,
                          long width, const int tokens, float *out, long out_stride) {
  const long panel_bytes = stator_panel_bytes_bf16(columns);
  for (int part = 0; part < PANEL_ROWS / LANES; part++) {
    floats sums[TILE_TOKENS];
    for (int i = 0; i < panels * tokens; i++) sums[i] = no_floats();
    const uint16_t *x = rows;
    for (long c = 0; c < chunks(columns); c++) {
      const uint8_t *at = data + c * BLOCK * PANEL_ROWS * 2 + part * 4 * LANES;
#pragma GCC unroll 16
      for (int i = 0; i < PAIRS; i++) {
#pragma GCC unroll 4
        for (int p = 0; p < panels; p++) {
          const uint8_t *weights = at + p * panel_bytes + i * 64;
          const ints w = load_bytes(weights);
          _mm_prefetch(weights + AHEAD, _MM_HINT_T0);
#pragma GCC unroll 16
          for (int t = 0; t < tokens; t++) {
            sums[p * tokens + t] = dot_pairs(sums[p * tokens + t], w, x + t * BLOCK + 2 * i);
          }
        }
      }
      x += width * BLOCK;
    }
    for (int p = 0; p < panels; p++) {
      for (int t = 0; t < tokens; t++) {
        float *to = out + t * out_stride + p * PANEL_ROWS + part * LANES;
        store_floats(to, sums[p * tokens + t]);
      }
    }
  }
}

// As many tokens as a tile takes of those left; returns how many. Few tokens take several panels at
// once, whose sums do not wait for each other.
static long multiply_some(const uint8_t *data, const int panels, long columns, const uint16_t *x,
                          long width, long left, float *out, long out_stride) {
#define TRY(n)                                                                 \
  if (TILE_TOKENS >= n * panels && left >= n) {                                \
    multiply_tile(data, panels, columns, x, width, n, out, out_stride);        \
    return n;                                                                  \
  }
  TRY(16)
  TRY(12)
  TRY(8)
  TRY(6)
  TRY(4)
  TRY(3)
  TRY(2)
#undef TRY
  multiply_tile(data, panels, columns, x, width, 1, out, out_stride);
  return 1;
}

static void multiply_panels(const uint8_t *data, const int panels, long columns,
                            const uint16_t *rows, long width, float *out, long out_stride) {
  for (long t = 0; t < width;) {
    t += multiply_some(data, panels, columns, rows + t * BLOCK, width, width - t,
                       out + t * out_stride, out_stride);
  }
}

// As in multiply.inc.
void stator_multiply_bf16(const uint8_t *data, long panels, long columns, const uint8_t *rows,
                          long tokens, float *out, long out_stride) {
  for (long first = 0; first < tokens; first += ROWS_TILE) {
    const long width = tokens - first < ROWS_TILE ? tokens - first : ROWS_TILE;
    const uint16_t *x = (const uint16_t *)(rows + first * stator_row_bytes_bf16(columns));
    for (long p = 0; p < panels;) {
      const uint8_t *panel = data + p * stator_panel_bytes_bf16(columns);
      float *to = out + first * out_stride + p * PANEL_ROWS;
      if (width <= 4 && panels - p >= 4) {
        multiply_panels(panel, 4, columns, x, width, to, out_stride);
        p += 4;
      } else {
        multiply_panels(panel, 1, columns, x, width, to, out_stride);
        p += 1;
      }
    }
  }
}
