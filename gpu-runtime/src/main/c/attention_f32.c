// Keys and values as 32-bit floats.
#include "lanes.h"

#define VALUE_BYTES 4
#define ATTEND stator_attend_f32

INLINE floats decode(const uint8_t *from) { return load_floats(from); }

INLINE float decode_one(const uint8_t *from) {
  float value;
  memcpy(&value, from, sizeof value);
  return value;
}

#include "attention.inc"
