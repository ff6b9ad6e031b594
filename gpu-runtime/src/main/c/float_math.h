// Functions of vectors of floats, the programs of FloatMath.java: fused multiply-adds and integer
// operations alone, so that any vector width gives the same bits.
#ifndef STATOR_FLOAT_MATH_H
#define STATOR_FLOAT_MATH_H

#include "lanes.h"

#define EXP_MIN -87.33654f
#define EXP_MAX 88.02f
#define LOG2_E 1.44269504f
#define ROUND 0x1.8p23f
#define ROUND_BITS (0x4b400000 - 127)
#define LN2_HIGH 0.693145752f
#define LN2_LOW 1.42860677e-6f
#define TANH_SMALL 0.625f

INLINE floats polynomial(floats x, const float *highest_first, const int count) {
  floats p = all_floats(highest_first[0]);
#pragma GCC unroll 8
  for (int i = 1; i < count; i++) p = multiply_add(p, x, all_floats(highest_first[i]));
  return p;
}

// exp(x) for x from EXP_MIN on; beyond EXP_MAX that of it.
INLINE floats exp_of(floats argument) {
  static const float P[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                            4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  const floats x = least(all_floats(EXP_MAX), argument);
  const floats t = multiply_add(x, all_floats(LOG2_E), all_floats(ROUND));
  const floats n = subtract(t, all_floats(ROUND));
  const floats r = multiply_add(n, all_floats(-LN2_LOW), multiply_add(n, all_floats(-LN2_HIGH), x));
  const floats p = polynomial(r, P, 6);
  const floats y = add(multiply_add(p, multiply(r, r), r), all_floats(1.0f));
  const ints power = subtract_ints(bits_of(t), all_ints(ROUND_BITS));
  return multiply(y, floats_of(shift_words_left(power, 23)));
}

// exp(x), 0 below EXP_MIN.
INLINE floats exp_or_zero(floats x) {
  return choose_less(x, EXP_MIN, no_floats(), exp_of(x));
}

// cap * tanh(x / cap)
INLINE floats softcap(floats x, float cap) {
  static const float T[] = {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
                            1.33314422036e-1f, -3.33332819422e-1f};
  const floats argument = divide(x, all_floats(cap));
  const ints sign = and_bits(bits_of(argument), all_ints((int)0x80000000));
  const floats y = floats_of(and_bits(bits_of(argument), all_ints(0x7fffffff)));
  const floats square = multiply(y, y);
  const floats small = multiply_add(multiply(polynomial(square, T, 5), square), y, y);
  const floats e = exp_of(add(y, y));
  const floats large =
      subtract(all_floats(1.0f), divide(all_floats(2.0f), add(e, all_floats(1.0f))));
  const floats magnitude = choose_less(y, TANH_SMALL, small, large);
  return multiply(floats_of(or_bits(bits_of(magnitude), sign)), all_floats(cap));
}

#endif
