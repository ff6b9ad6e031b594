// Inputs of a projection as 8-bit integers, in blocks of 32 with a scale each.
//
// Tokens lie in tiles of up to ROWS_TILE; a tile of w tokens is
//   int8_t        quants[columns / 32][w][32]
//   struct block  blocks[columns / 32][w]
// so that what a kernel reads for one block of weights lies side by side. Tile i begins at
// i * ROWS_TILE * row_bytes(columns).
#ifndef STATOR_ROWS_H
#define STATOR_ROWS_H

#include <stdint.h>

#define ROWS_TILE 16
#define BLOCK 32

struct block {
  float scale;       // largest magnitude / 127; not a number when an input is not finite
  float scaled_sum;  // scale * sum of all quants
  int32_t half_sum;  // of the first 16 quants
  int32_t sum;       // of all 32
};

static inline long row_bytes(long columns) {
  return columns + columns / BLOCK * (long)sizeof(struct block);
}

static inline const int8_t *tile_quants(const uint8_t *rows, long columns, long tile) {
  return (const int8_t *)(rows + tile * ROWS_TILE * row_bytes(columns));
}

static inline const struct block *tile_blocks(const uint8_t *rows, long columns, long tile,
                                              long width) {
  return (const struct block *)(tile_quants(rows, columns, tile) + width * columns);
}

#endif
