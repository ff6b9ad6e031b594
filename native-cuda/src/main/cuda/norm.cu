// RMS norms of rows: a block of 256 threads a row.
//
// The sum of squares has one order: thread t takes quads of values t, t + 256, ... in order, by fused multiply-adds; lanes are
// added 16, 8, 4, 2, 1 apart; warps in ascending order.
//
// rms_norm_free_{512,1024}: the same with more threads, in their order, to measure what the one number costs.
#include "quads.h"

constexpr int NORM_THREADS = 256;

template <int THREADS>
DEVICE float sum_of_squares(const float *x, int size, bool is_aligned) {
  __shared__ float sums[THREADS / WARP];
  float sum = 0;
  for (int quad = threadIdx.x; 4 * quad < size; quad += THREADS) {
    const Quad from = load_quad(x, quad, size, is_aligned);
#pragma unroll
    for (int i = 0; i < 4; i++) sum = fmaf(from.v[i], from.v[i], sum);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % WARP == 0) sums[threadIdx.x / WARP] = sum;
  __syncthreads();
  float total = sums[0];
#pragma unroll
  for (int i = 1; i < THREADS / WARP; i++) total += sums[i];
  return total;
}

template <typename Out, int THREADS = NORM_THREADS>
DEVICE void normalise(const NormParams &p) {
  const int64_t row = blockIdx.x;
  const float *x = p.x + row * p.rowStride;
  Out *out = static_cast<Out *>(p.out) + row * p.size;
  const bool is_aligned = is_aligned16(x) && is_aligned16(p.weight) && p.size % 4 == 0 && is_aligned16(p.out);
  const float mean = sum_of_squares<THREADS>(x, p.size, is_aligned) / p.size;
  const float scale = 1 / sqrtf(mean + p.epsilon);
  for (int quad = threadIdx.x; 4 * quad < p.size; quad += THREADS) {
    Quad value = load_quad(x, quad, p.size, is_aligned);
    const Quad weight = load_quad(p.weight, quad, p.size, is_aligned);
#pragma unroll
    for (int i = 0; i < 4; i++) value.v[i] = value.v[i] * scale * weight.v[i];
    store_quad(out, quad, p.size, is_aligned, value);
  }
}

KERNEL(rms_norm, NORM_THREADS, NormParams) { normalise<uint16_t>(p); }

KERNEL(rms_norm_f32, NORM_THREADS, NormParams) { normalise<float>(p); }

KERNEL(rms_norm_free_512, 512, NormParams) { normalise<uint16_t, 512>(p); }

KERNEL(rms_norm_free_1024, 1024, NormParams) { normalise<uint16_t, 1024>(p); }
