// The product of BF16 panels and rows by AMX, see bf16.c. For each 32 columns in order:
//
//   even = fma(weight[0], x[0], 0), fma(weight[2], x[2], even), ...;  odd likewise, from column 1
//   sum = sum + (even + odd)
//
// where denormal factors and sums count as zeros, for any number of tokens.
#include "bf16.h"
#include "tiles.h"

#define CHUNK_BYTES (BLOCK * PANEL_ROWS * 2)

#define ADD_CHUNK(tile)                                                        \
  tile_load(WEIGHTS, at + tile * panel_bytes, 64);                             \
  tile_dot_bf16(tile)

// SUM_TILES panels at once, whose sums do not wait for each other.
static void multiply_four(const uint8_t *data, long columns, const uint8_t *x, long width,
                          float *out, long out_stride) {
  const long panel_bytes = stator_panel_bytes_bf16(columns);
  tile_zero(0);
  tile_zero(1);
  tile_zero(2);
  tile_zero(3);
  for (long c = 0; c < chunks(columns); c++) {
    const uint8_t *at = data + c * CHUNK_BYTES;
    tile_load(INPUTS, x + c * width * BLOCK * 2, BLOCK * 2);
    ADD_CHUNK(0);
    ADD_CHUNK(1);
    ADD_CHUNK(2);
    ADD_CHUNK(3);
  }
  tile_store(0, out, out_stride * 4);
  tile_store(1, out + PANEL_ROWS, out_stride * 4);
  tile_store(2, out + 2 * PANEL_ROWS, out_stride * 4);
  tile_store(3, out + 3 * PANEL_ROWS, out_stride * 4);
}

static void multiply_one(const uint8_t *data, long columns, const uint8_t *x, long width,
                         float *out, long out_stride) {
  const long panel_bytes = 0;
  tile_zero(0);
  for (long c = 0; c < chunks(columns); c++) {
    const uint8_t *at = data + c * CHUNK_BYTES;
    tile_load(INPUTS, x + c * width * BLOCK * 2, BLOCK * 2);
    ADD_CHUNK(0);
  }
  tile_store(0, out, out_stride * 4);
}

// As in multiply.inc.
void stator_multiply_bf16(const uint8_t *data, long panels, long columns, const uint8_t *rows,
                          long tokens, float *out, long out_stride) {
  for (long first = 0; first < tokens; first += ROWS_TILE) {
    const long width = tokens - first < ROWS_TILE ? tokens - first : ROWS_TILE;
    const uint8_t *x = rows + first * stator_row_bytes_bf16(columns);
    tiles_begin(width, BLOCK * 2, BLOCK / 2);
    for (long p = 0; p < panels;) {
      const uint8_t *panel = data + p * stator_panel_bytes_bf16(columns);
      float *to = out + first * out_stride + p * PANEL_ROWS;
      if (panels - p >= SUM_TILES) {
        multiply_four(panel, columns, x, width, to, out_stride);
        p += SUM_TILES;
      } else {
        multiply_one(panel, columns, x, width, to, out_stride);
        p += 1;
      }
    }
    tiles_end();
  }
}
