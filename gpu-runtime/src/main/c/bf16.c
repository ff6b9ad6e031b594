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
  if (rows < PANEL_ROWS) {
    memset(panel, 0, (size_t)stator_panel_bytes_bf16(columns));
  }
  for (long c = 0; c < chunks(columns); c++) {
    const long count = columns - c * BLOCK < BLOCK ? columns - c * BLOCK : BLOCK;
    for (long row = 0; row < rows; row++) {
      const uint8_t *from = source + (row * columns + c * BLOCK) * 2;
      uint8_t *to = panel + c * BLOCK * PANEL_ROWS * 2 + row * 4;
      uint16_t bits[BLOCK] = {0};
      int bad_bits = 0;
      memcpy(bits, from, (size_t)count * 2);
      for (int k = 0; k < BLOCK; k++) bad_bits |= ((bits[k] & 0x7f80) + 0x80) & 0x8000;
      for (int i = 0; i < BLOCK / 2; i++) memcpy(to + i * 64, bits + 2 * i, 4);
      if (bad_bits && (bad < 0 || row < bad)) bad = row;
    }
  }
  return bad;
}
