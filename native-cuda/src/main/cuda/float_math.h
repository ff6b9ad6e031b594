// Functions of fused multiply-adds and integer operations alone: they give the same bits on every device and in the emulation.
#ifndef STATOR_FLOAT_MATH_H
#define STATOR_FLOAT_MATH_H

#include "stator.h"

// With n = round(x / ln 2), taken by adding 1.5 * 2^23, and r = x - n ln 2 in two parts: 2^n (1 + r + r^2 p(r)), p being the
// polynomial of the Cephes library's expf. Relative error at most 1.5e-7. Results below the normal numbers are 0; above
// 88.02 the result is that of it. The program is that of the CPU device's FloatMath.
DEVICE float exact_exp(float argument) {
  if (argument < -87.33654f) return 0;
  const float x = fminf(argument, 88.02f);
  const float t = fmaf(x, 1.44269504f, 0x1.8p23f);
  const float n = t - 0x1.8p23f;
  const float r = fmaf(n, -1.42860677e-6f, fmaf(n, -0.693145752f, x));
  float p = fmaf(1.9875691500e-4f, r, 1.3981999507e-3f);
  p = fmaf(p, r, 8.3334519073e-3f);
  p = fmaf(p, r, 4.1665795894e-2f);
  p = fmaf(p, r, 1.6666665459e-1f);
  p = fmaf(p, r, 5.0000001201e-1f);
  const float y = fmaf(p, r * r, r) + 1;
  const uint32_t power = (__float_as_uint(t) - (__float_as_uint(0x1.8p23f) - 127)) << 23;
  return y * __uint_as_float(power);
}

// x / (1 + exp(-x))
DEVICE float silu(float x) { return x / (1 + exact_exp(-x)); }

// The form with a hyperbolic tangent: x / (1 + exp(-2 sqrt(2 / pi) (x + 0.044715 x^3)))
DEVICE float gelu(float x) {
  return x / (1 + exact_exp(-1.59576912f * fmaf(0.044715f * x, x * x, x)));
}

// Below 0.625 the polynomial of the Cephes library's tanhf, else 1 - 2 / (exp(2 |x|) + 1). An error of at most 2e-7.
DEVICE float exact_tanh(float x) {
  const float y = fabsf(x);
  if (y >= 0.625f) return copysignf(1 - 2 / (exact_exp(y + y) + 1), x);
  const float square = y * y;
  float p = fmaf(-5.70498872745e-3f, square, 2.06390887954e-2f);
  p = fmaf(p, square, -5.37397155531e-2f);
  p = fmaf(p, square, 1.33314422036e-1f);
  p = fmaf(p, square, -3.33332819422e-1f);
  return copysignf(fmaf(p * square, y, y), x);
}

#endif
