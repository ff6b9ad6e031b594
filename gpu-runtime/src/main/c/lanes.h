// Vectors of 32-bit lanes, one lane an output row. LANES rows are computed at a time; a panel has 16.
//
// Every operation is exact or rounded once, so that all instruction sets give the same bits.
#ifndef STATOR_LANES_H
#define STATOR_LANES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define PANEL_ROWS 16
#define INLINE static inline __attribute__((always_inline))

INLINE int32_t load_int(const void *from) {
  int32_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

#if defined(__AVX512VNNI__)

#define LANES 16
// Tokens whose sums stay in registers.
#define TILE_TOKENS 16
typedef __m512i ints;
typedef __m512 floats;

INLINE ints load_bytes(const uint8_t *from) { return _mm512_loadu_si512(from); }
INLINE ints all_bytes(int value) { return _mm512_set1_epi8((char)value); }
INLINE ints all_ints(int value) { return _mm512_set1_epi32(value); }
INLINE ints and_bits(ints a, ints b) { return _mm512_and_si512(a, b); }
INLINE ints or_bits(ints a, ints b) { return _mm512_or_si512(a, b); }
INLINE ints add_ints(ints a, ints b) { return _mm512_add_epi32(a, b); }
INLINE ints subtract_ints(ints a, ints b) { return _mm512_sub_epi32(a, b); }
INLINE ints multiply_ints(ints a, ints b) { return _mm512_mullo_epi32(a, b); }
#define shift_right(a, count) _mm512_srli_epi16(a, count)
#define shift_left(a, count) _mm512_slli_epi16(a, count)
INLINE ints widen_signed(const void *from) { return _mm512_cvtepi8_epi32(_mm_loadu_si128(from)); }
INLINE ints widen_unsigned(const void *from) { return _mm512_cvtepu8_epi32(_mm_loadu_si128(from)); }
INLINE floats widen_halves(const void *from) { return _mm512_cvtph_ps(_mm256_loadu_si256(from)); }
INLINE floats to_floats(ints a) { return _mm512_cvtepi32_ps(a); }
INLINE floats no_floats(void) { return _mm512_setzero_ps(); }
INLINE floats all_floats(float value) { return _mm512_set1_ps(value); }
INLINE floats multiply(floats a, floats b) { return _mm512_mul_ps(a, b); }
INLINE floats multiply_add(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
INLINE floats subtract_product(floats a, floats b, floats c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE void store_floats(float *to, floats a) { _mm512_storeu_ps(to, a); }
INLINE floats load_floats(const void *from) { return _mm512_loadu_ps(from); }
INLINE ints widen_words(const void *from) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256(from)); }
INLINE floats add(floats a, floats b) { return _mm512_add_ps(a, b); }
INLINE floats subtract(floats a, floats b) { return _mm512_sub_ps(a, b); }
INLINE floats divide(floats a, floats b) { return _mm512_div_ps(a, b); }
// Of a number and none, b.
INLINE floats least(floats a, floats b) { return _mm512_min_ps(a, b); }
INLINE floats largest(floats a, floats b) { return _mm512_max_ps(a, b); }
INLINE ints bits_of(floats a) { return _mm512_castps_si512(a); }
INLINE floats floats_of(ints a) { return _mm512_castsi512_ps(a); }
#define shift_words_left(a, count) _mm512_slli_epi32(a, count)
INLINE floats choose_less(floats x, float limit, floats below, floats otherwise) {
  const __mmask16 is_less = _mm512_cmp_ps_mask(x, all_floats(limit), _CMP_LT_OQ);
  return _mm512_mask_blend_ps(is_less, otherwise, below);
}

#else

#define LANES 8
#define TILE_TOKENS 4
typedef __m256i ints;
typedef __m256 floats;

INLINE ints load_bytes(const uint8_t *from) { return _mm256_loadu_si256((const ints *)from); }
INLINE ints all_bytes(int value) { return _mm256_set1_epi8((char)value); }
INLINE ints all_ints(int value) { return _mm256_set1_epi32(value); }
INLINE ints and_bits(ints a, ints b) { return _mm256_and_si256(a, b); }
INLINE ints or_bits(ints a, ints b) { return _mm256_or_si256(a, b); }
INLINE ints add_ints(ints a, ints b) { return _mm256_add_epi32(a, b); }
INLINE ints subtract_ints(ints a, ints b) { return _mm256_sub_epi32(a, b); }
INLINE ints multiply_ints(ints a, ints b) { return _mm256_mullo_epi32(a, b); }
#define shift_right(a, count) _mm256_srli_epi16(a, count)
#define shift_left(a, count) _mm256_slli_epi16(a, count)
INLINE ints widen_signed(const void *from) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64(from)); }
INLINE ints widen_unsigned(const void *from) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64(from)); }
INLINE floats widen_halves(const void *from) { return _mm256_cvtph_ps(_mm_loadu_si128(from)); }
INLINE floats to_floats(ints a) { return _mm256_cvtepi32_ps(a); }
INLINE floats no_floats(void) { return _mm256_setzero_ps(); }
INLINE floats all_floats(float value) { return _mm256_set1_ps(value); }
INLINE floats multiply(floats a, floats b) { return _mm256_mul_ps(a, b); }
INLINE floats multiply_add(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
INLINE floats subtract_product(floats a, floats b, floats c) { return _mm256_fnmadd_ps(a, b, c); }
INLINE void store_floats(float *to, floats a) { _mm256_storeu_ps(to, a); }
INLINE floats load_floats(const void *from) { return _mm256_loadu_ps(from); }
INLINE ints widen_words(const void *from) { return _mm256_cvtepu16_epi32(_mm_loadu_si128(from)); }
INLINE floats add(floats a, floats b) { return _mm256_add_ps(a, b); }
INLINE floats subtract(floats a, floats b) { return _mm256_sub_ps(a, b); }
INLINE floats divide(floats a, floats b) { return _mm256_div_ps(a, b); }
// Of a number and none, b.
INLINE floats least(floats a, floats b) { return _mm256_min_ps(a, b); }
INLINE floats largest(floats a, floats b) { return _mm256_max_ps(a, b); }
INLINE ints bits_of(floats a) { return _mm256_castps_si256(a); }
INLINE floats floats_of(ints a) { return _mm256_castsi256_ps(a); }
#define shift_words_left(a, count) _mm256_slli_epi32(a, count)
INLINE floats choose_less(floats x, float limit, floats below, floats otherwise) {
  return _mm256_blendv_ps(otherwise, below, _mm256_cmp_ps(x, all_floats(limit), _CMP_LT_OQ));
}

#endif

// sum[r] + the products of 4 unsigned weights of row r, each at most 127, with 4 signed inputs.
INLINE ints dot(ints sum, ints weights, const int8_t *inputs) {
  const ints x = all_ints(load_int(inputs));
#if defined(__AVX512VNNI__)
  return _mm512_dpbusd_epi32(sum, weights, x);
#elif defined(__AVXVNNI__)
  return _mm256_dpbusd_avx_epi32(sum, weights, x);
#else
  const ints pairs = _mm256_maddubs_epi16(weights, x);
  return add_ints(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}

// What a sum of dot_biased() begins with; total is the sum of its 32 inputs.
INLINE ints biased_start(int32_t total) {
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
  return all_ints(-128 * total);
#else
  (void)total;
  return all_ints(0);
#endif
}

// sum[r] + the products of (weight - 128) of 4 unsigned weights of row r with 4 signed inputs. A
// product of an 8-bit weight does not fit where pairs are added in 16 bits: there the weight gives
// its sign to the input first.
INLINE ints dot_biased(ints sum, ints weights, const int8_t *inputs) {
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
  return dot(sum, weights, inputs);
#else
  const ints x = all_ints(load_int(inputs));
  const ints w = _mm256_xor_si256(weights, all_bytes(0x80));
  const ints pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
  return add_ints(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}

#endif
