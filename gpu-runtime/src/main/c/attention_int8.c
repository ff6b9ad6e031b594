// Keys and values as 8-bit integers, with a float scale for each token behind a head's keys, and
// behind its values.
#include "lanes.h"

#define VALUE_BYTES 1
#define HAS_SCALES
#define ATTEND stator_attend_int8

INLINE floats decode(const uint8_t *from) { return to_floats(widen_signed(from)); }

INLINE float decode_one(const uint8_t *from) { return (float)*(const int8_t *)from; }

#include "attention.inc"
