// Rounds the inputs of a projection to 8 bits.
//
//   scale = max |x| / 127;  quant = round_to_even(x * (127 / max |x|))
//
// of each block of 32; scalar float32 operations, each rounded once, in any vector width.
#include "rows.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

// A block with no magnitude of at least this counts as zeros: the reciprocal would overflow.
#define SMALLEST 1e-36f

static __m256 magnitude(__m256 x) {
  return _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
}

static float largest_of(__m256 x) {
  __m128 max = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  max = _mm_max_ps(max, _mm_movehl_ps(max, max));
  return _mm_cvtss_f32(_mm_max_ss(max, _mm_movehdup_ps(max)));
}

static int32_t sum_of(__m256i x) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}

static void quantize_block(const float *x, int8_t *quants, struct block *block) {
  __m256 values[4];
  __m256 largest = _mm256_setzero_ps();
  __m256 finite = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  for (int i = 0; i < 4; i++) {
    values[i] = _mm256_loadu_ps(x + 8 * i);
    const __m256 size = magnitude(values[i]);
    finite = _mm256_and_ps(finite, _mm256_cmp_ps(size, _mm256_set1_ps(INFINITY), _CMP_LT_OQ));
    largest = _mm256_max_ps(largest, size);
  }
  if (_mm256_movemask_ps(finite) != 255) {
    memset(quants, 0, BLOCK);
    *block = (struct block){NAN, NAN, 0, 0};
    return;
  }
  const float max = largest_of(largest);
  const float inverse = max >= SMALLEST ? 127.0f / max : 0.0f;
  __m256i rounded[4];
  for (int i = 0; i < 4; i++) {
    rounded[i] = _mm256_cvtps_epi32(_mm256_mul_ps(values[i], _mm256_set1_ps(inverse)));
  }
  // Packing takes the 128-bit halves in turn; the permutation puts the bytes in order.
  const __m256i words = _mm256_packs_epi32(rounded[0], rounded[1]);
  const __m256i more = _mm256_packs_epi32(rounded[2], rounded[3]);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(words, more), order);
  _mm256_storeu_si256((__m256i *)quants, bytes);
  const int32_t first = sum_of(_mm256_add_epi32(rounded[0], rounded[1]));
  const int32_t sum = first + sum_of(_mm256_add_epi32(rounded[2], rounded[3]));
  const float scale = inverse == 0.0f ? 0.0f : max / 127.0f;
  *block = (struct block){scale, scale * (float)sum, first, sum};
}

long stator_row_bytes(long columns) { return row_bytes(columns); }

// x: tokens [first, end) of `tokens`, each `columns` (a multiple of 32) floats, `stride` apart.
void stator_quantize(const float *x, long stride, long columns, long first, long end, long tokens,
                     uint8_t *rows) {
  for (long t = first; t < end; t++) {
    const long tile = t / ROWS_TILE;
    const long lane = t % ROWS_TILE;
    const long left = tokens - tile * ROWS_TILE;
    const long width = left < ROWS_TILE ? left : ROWS_TILE;
    int8_t *quants = (int8_t *)tile_quants(rows, columns, tile);
    struct block *blocks = (struct block *)tile_blocks(rows, columns, tile, width);
    for (long b = 0; b < columns / BLOCK; b++) {
      const long at = b * width + lane;
      quantize_block(x + t * stride + b * BLOCK, quants + at * BLOCK, blocks + at);
    }
  }
}
