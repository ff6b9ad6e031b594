// Keys and values as the upper halves of 32-bit floats.
#include "lanes.h"

#define VALUE_BYTES 2
#define ATTEND stator_attend_bf16

INLINE floats decode(const uint8_t *from) {
  return floats_of(shift_words_left(widen_words(from), 16));
}

INLINE float decode_one(const uint8_t *from) {
  uint16_t half;
  memcpy(&half, from, sizeof half);
  const uint32_t bits = (uint32_t)half << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

#include "attention.inc"
