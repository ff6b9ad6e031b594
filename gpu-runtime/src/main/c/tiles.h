// Tiles of AMX: up to 16 rows of 64 bytes each. Tiles 0 to 3 take sums (a row a token, 16 outputs),
// tile 4 inputs (a row a token), tile 5 weights (a row four bytes of each output). A thread's tiles
// hold between tiles_begin and tiles_end.
//
// With STATOR_TILES_EMULATED the operations are written out as Intel's manual has them ("Intel 64
// and IA-32 Architectures Software Developer's Manual", TDPBSUD and TDPBF16PS), for processors
// without AMX: slow, and the same bits.
#ifndef STATOR_TILES_H
#define STATOR_TILES_H

#include <stdint.h>
#include <string.h>

#define INPUTS 4
#define WEIGHTS 5
#define SUM_TILES 4

struct tile_config {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

static inline struct tile_config tile_config(long tokens, int input_bytes, int weight_rows) {
  struct tile_config config;
  memset(&config, 0, sizeof config);
  config.palette = 1;
  for (int i = 0; i < SUM_TILES; i++) {
    config.rows[i] = (uint8_t)tokens;
    config.row_bytes[i] = 64;
  }
  config.rows[INPUTS] = (uint8_t)tokens;
  config.row_bytes[INPUTS] = (uint16_t)input_bytes;
  config.rows[WEIGHTS] = (uint8_t)weight_rows;
  config.row_bytes[WEIGHTS] = 64;
  return config;
}

#ifndef STATOR_TILES_EMULATED

#include <immintrin.h>

static inline void tiles_begin(long tokens, int input_bytes, int weight_rows) {
  const struct tile_config config = tile_config(tokens, input_bytes, weight_rows);
  _tile_loadconfig(&config);
}

#define tiles_end() _tile_release()
#define tile_zero(tile) _tile_zero(tile)
#define tile_load(tile, from, stride) _tile_loadd(tile, from, stride)
#define tile_store(tile, to, stride) _tile_stored(tile, to, stride)
#define tile_dot_bytes(sums) _tile_dpbsud(sums, INPUTS, WEIGHTS)
#define tile_dot_bf16(sums) _tile_dpbf16ps(sums, INPUTS, WEIGHTS)

#else

#include <math.h>

struct tiles {
  struct tile_config config;
  uint8_t bytes[8][16][64];
};

static _Thread_local struct tiles tiles;

static inline void tiles_begin(long tokens, int input_bytes, int weight_rows) {
  memset(&tiles, 0, sizeof tiles);
  tiles.config = tile_config(tokens, input_bytes, weight_rows);
}

static inline void tiles_end(void) { memset(&tiles, 0, sizeof tiles); }

static inline void tile_zero(int tile) { memset(tiles.bytes[tile], 0, sizeof tiles.bytes[tile]); }

static inline void tile_load(int tile, const void *from, long stride) {
  tile_zero(tile);
  for (int row = 0; row < tiles.config.rows[tile]; row++) {
    memcpy(tiles.bytes[tile][row], (const uint8_t *)from + row * stride,
           tiles.config.row_bytes[tile]);
  }
}

static inline void tile_store(int tile, void *to, long stride) {
  for (int row = 0; row < tiles.config.rows[tile]; row++) {
    memcpy((uint8_t *)to + row * stride, tiles.bytes[tile][row], tiles.config.row_bytes[tile]);
  }
}

static inline void tile_dot_bytes(int sums) {
  for (int m = 0; m < tiles.config.rows[sums]; m++) {
    int32_t *row = (int32_t *)(void *)tiles.bytes[sums][m];
    for (int k = 0; k < tiles.config.row_bytes[INPUTS]; k++) {
      const int8_t input = (int8_t)tiles.bytes[INPUTS][m][k];
      for (int n = 0; n < 16; n++) row[n] += input * tiles.bytes[WEIGHTS][k / 4][4 * n + k % 4];
    }
  }
}

static inline float no_denormal(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }

static inline float bf16_at(const uint8_t *bytes, int index) {
  uint16_t high;
  memcpy(&high, bytes + 2 * index, 2);
  const uint32_t bits = (uint32_t)high << 16;
  float value;
  memcpy(&value, &bits, 4);
  return no_denormal(value);
}

static inline void tile_dot_bf16(int sums) {
  for (int m = 0; m < tiles.config.rows[sums]; m++) {
    float *row = (float *)(void *)tiles.bytes[sums][m];
    for (int n = 0; n < 16; n++) {
      float parts[2] = {0, 0};
      for (int k = 0; k < tiles.config.row_bytes[INPUTS] / 4; k++) {
        for (int i = 0; i < 2; i++) {
          const float x = bf16_at(tiles.bytes[INPUTS][m], 2 * k + i);
          const float w = bf16_at(tiles.bytes[WEIGHTS][k], 2 * n + i);
          parts[i] = no_denormal(fmaf(x, w, parts[i]));
        }
      }
      row[n] = no_denormal(no_denormal(row[n]) + no_denormal(parts[0] + parts[1]));
    }
  }
}

#endif
#endif
