// Four values side by side, 16 bytes of float32 at a time where everything is aligned to that.
#ifndef STATOR_QUADS_H
#define STATOR_QUADS_H

#include "stator.h"

struct Quad {
  float v[4];
};

DEVICE bool is_aligned16(const void *address) { return reinterpret_cast<uintptr_t>(address) % 16 == 0; }

// Values 4 * quad to 4 * quad + 3 of an array of `size`, zeros behind its end.
DEVICE Quad load_quad(const float *x, int quad, int size, bool is_aligned) {
  Quad to;
  if (is_aligned && quad < size / 4) {
    const float4 from = reinterpret_cast<const float4 *>(x)[quad];
    to.v[0] = from.x;
    to.v[1] = from.y;
    to.v[2] = from.z;
    to.v[3] = from.w;
    return to;
  }
#pragma unroll
  for (int i = 0; i < 4; i++) to.v[i] = 4 * quad + i < size ? x[4 * quad + i] : 0;
  return to;
}

DEVICE void store_quad(float *to, int quad, int size, bool is_aligned, const Quad &from) {
  if (is_aligned && quad < size / 4) {
    reinterpret_cast<float4 *>(to)[quad] = make_float4(from.v[0], from.v[1], from.v[2], from.v[3]);
    return;
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if (4 * quad + i < size) to[4 * quad + i] = from.v[i];
  }
}

// As bf16.
DEVICE void store_quad(uint16_t *to, int quad, int size, bool is_aligned, const Quad &from) {
  if (is_aligned && quad < size / 4) {
    const uint32_t low = floats_to_bf16x2(from.v[0], from.v[1]);
    reinterpret_cast<uint2 *>(to)[quad] = make_uint2(low, floats_to_bf16x2(from.v[2], from.v[3]));
    return;
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if (4 * quad + i < size) to[4 * quad + i] = float_to_bf16(from.v[i]);
  }
}

#endif
