// BF16 weights and inputs, rounded and laid out for bf16_pairs.c and bf16_tiles.c.
//
//   uint16_t  weights[columns / 32][16][16][2]   columns 2 i and 2 i + 1 of each row in vector i;
//                                                columns beyond the last are 0
//   uint16_t  rows[tile][columns / 32][w][32]    tiles of w tokens as in rows.h
#include "bf16.h"

long stator_panel_bytes_bf16(long columns) { return chunks(columns) * BLOCK * PANEL_ROWS * 2; }

long stator_row_bytes_bf16(long columns) { return chunks(columns) * BLOCK * 2; }

static uint16_t rounded(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 64);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// As stator_quantize, to the nearest of 16 bits, ties to even.
void stator_round_bf16(const float *x, long stride, long columns, long first, long end, long tokens,
                       uint8_t *rows) {
  for (long t = first; t < end; t++) {
    const long tile = t / ROWS_TILE;
    const long left = tokens - tile * ROWS_TILE;
    const long width = left < ROWS_TILE ? left : ROWS_TILE;
    uint16_t *to = (uint16_t *)(rows + tile * ROWS_TILE * stator_row_bytes_bf16(columns));
    for (long c = 0; c < chunks(columns); c++) {
      const float *from = x + t * stride + c * BLOCK;
      uint16_t *at = to + (c * width + t % ROWS_TILE) * BLOCK;
      const long count = columns - c * BLOCK < BLOCK ? columns - c * BLOCK : BLOCK;
      if (count < BLOCK) memset(at, 0, BLOCK * 2);
      for (long i = 0; i < count; i++) at[i] = rounded(from[i]);
    }
  }
}

long stator_pack_bf16(const uint8_t *source, long rows, long columns, uint8_t *panel) {
  long bad = -1;
  if (rows < PANEL_ROWS || columns % BLOCK != 0) {
    memset(panel, 0, (size_t)stator_panel_bytes_bf16(columns));
  }
  for (long row = 0; row < rows; row++) {
    const uint8_t *from = source + row * columns * 2;
    uint8_t *to = panel + row * 4;
    for (long k = 0; k < columns; k++) {
      uint16_t bits;
      memcpy(&bits, from + k * 2, 2);
      if ((bits & 0x7f80) == 0x7f80 && bad < 0) bad = row;
      memcpy(to + k / 2 * 64 + k % 2 * 2, &bits, 2);
    }
  }
  return bad;
}
