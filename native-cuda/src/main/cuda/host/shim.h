// stator.h for the CPU: CUDA's names and the project's own, by the emulator.
#ifndef STATOR_HOST_SHIM_H
#define STATOR_HOST_SHIM_H

#include <math.h>
#include <string.h>

#include "emulator.h"

#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __constant__ static const
#define __shared__ static thread_local
#define __align__(bytes) __attribute__((aligned(bytes)))
#define DEVICE inline __attribute__((always_inline, unused))

#define KERNEL(name, threads, Params)                                                                      \
  static void name(const Params &p);                                                                       \
  static stator::Kernel name##_kernel = {#name, threads, sizeof(Params),                                   \
                                         [](const void *p) { name(*static_cast<const Params *>(p)); }, 0}; \
  static const stator::Registration name##_registration(&name##_kernel);                                   \
  static void name(const Params &p)
#define KERNEL_RESIDENT(name, threads, blocks, Params) KERNEL(name, threads, Params)

#define threadIdx (stator::self()->thread)
#define blockIdx (stator::self()->machine->block)
#define blockDim (stator::self()->machine->blockDim)
#define gridDim (stator::self()->machine->gridDim)
#define SHARED_MEMORY(type, name) type *name = reinterpret_cast<type *>(stator::self()->machine->shared)

// ---- CUDA's vectors

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) int2 {
  int32_t x, y;
};
struct alignas(16) int4 {
  int32_t x, y, z, w;
};
struct alignas(8) uint2 {
  uint32_t x, y;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int32_t x, int32_t y) { return {x, y}; }
inline int4 make_int4(int32_t x, int32_t y, int32_t z, int32_t w) { return {x, y, z, w}; }
inline uint2 make_uint2(uint32_t x, uint32_t y) { return {x, y}; }
inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }

// ---- CUDA's functions

inline float __uint_as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
inline uint32_t __float_as_uint(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float __int_as_float(int32_t bits) { return __uint_as_float(static_cast<uint32_t>(bits)); }
inline int32_t __float_as_int(float value) { return static_cast<int32_t>(__float_as_uint(value)); }
inline float rsqrtf(float x) { return static_cast<float>(1 / sqrt(static_cast<double>(x))); }
inline int __popc(uint32_t bits) { return __builtin_popcount(bits); }
inline int __clz(int32_t bits) { return bits == 0 ? 32 : __builtin_clz(static_cast<uint32_t>(bits)); }
inline int __ffs(int32_t bits) { return __builtin_ffs(bits); }
// Four of the eight bytes of b:a, each chosen by the lower 3 bits of a nibble.
inline uint32_t __byte_perm(uint32_t a, uint32_t b, uint32_t choice) {
  const uint64_t bytes = static_cast<uint64_t>(b) << 32 | a;
  uint32_t result = 0;
  for (int i = 0; i < 4; i++) result |= static_cast<uint32_t>(bytes >> (choice >> 4 * i & 7) * 8 & 0xFF) << 8 * i;
  return result;
}
template <typename T>
inline T __ldg(const T *from) {
  return *from;
}
template <typename T>
inline T __ldcs(const T *from) {
  return *from;
}
template <typename T>
inline void __stcs(T *to, T value) {
  *to = value;
}
template <typename T>
inline T min(T a, T b) {
  return b < a ? b : a;
}
template <typename T>
inline T max(T a, T b) {
  return a < b ? b : a;
}
template <typename T>
inline T atomicAdd(T *to, T value) {
  static_assert(sizeof(T) == 4 && static_cast<T>(0.5) == 0, "integers only: sums of floats would depend on the order");
  return __atomic_fetch_add(to, value, __ATOMIC_RELAXED);
}
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// ---- Rendezvous. `line` is the caller's: lanes in different lines have diverged.

inline void __syncthreads(int line = __builtin_LINE()) {
  stator::Fiber *fiber = stator::self();
  const uint32_t site = stator::site(stator::BLOCK_BARRIER, line);
  if (stator::arrive(fiber, site)) stator::arrive_at_block(fiber, site);
}

inline void warp_sync(int line = __builtin_LINE()) {
  stator::arrive(stator::self(), stator::site(stator::WARP_BARRIER, line));
}
inline void __syncwarp(int line = __builtin_LINE()) { warp_sync(line); }

namespace stator {

// All lanes' values, until the next operation but one.
template <typename T>
inline const uint32_t *exchange(Kind kind, T value, int line) {
  static_assert(sizeof(T) == 4, "values of 32 bits");
  Fiber *fiber = self();
  Warp *warp = fiber->warp;
  uint32_t *values = warp->values[warp->parity];
  memcpy(values + fiber->lane, &value, sizeof value);
  if (arrive(fiber, site(kind, line))) warp->parity ^= 1;
  return values;
}

template <typename T>
inline T value_of(const uint32_t *values, uint32_t lane) {
  T value;
  memcpy(&value, values + lane, sizeof value);
  return value;
}

}  // namespace stator

template <typename T>
inline T warp_shuffle_xor(T value, int mask, int line = __builtin_LINE()) {
  const uint32_t *values = stator::exchange(stator::SHUFFLE, value, line);
  return stator::value_of<T>(values, (stator::self()->lane ^ mask) % stator::LANES);
}

template <typename T>
inline T warp_shuffle(T value, int lane, int line = __builtin_LINE()) {
  return stator::value_of<T>(stator::exchange(stator::SHUFFLE, value, line), lane % stator::LANES);
}

template <typename T>
inline T warp_shuffle_down(T value, int count, int line = __builtin_LINE()) {
  const uint32_t *values = stator::exchange(stator::SHUFFLE, value, line);
  const uint32_t from = stator::self()->lane + count;
  return stator::value_of<T>(values, from < stator::LANES ? from : stator::self()->lane);
}

inline uint32_t warp_ballot(bool is_true, int line = __builtin_LINE()) {
  const uint32_t *values = stator::exchange(stator::BALLOT, static_cast<uint32_t>(is_true), line);
  uint32_t bits = 0;
  for (int lane = 0; lane < stator::LANES; lane++) bits |= values[lane] << lane;
  return bits;
}

inline void mma_bf16(float *d, const uint32_t *a, const uint32_t *b, int line = __builtin_LINE()) {
  stator::Fiber *fiber = stator::self();
  fiber->warp->operands[fiber->lane] = {d, a, b};
  if (stator::arrive(fiber, stator::site(stator::MATRIX_PRODUCT, line))) stator::multiply_matrices(fiber->warp);
}

namespace stator {

inline void load_matrix(uint32_t *to, const void *shared, int count, bool is_transposed, int line) {
  Fiber *fiber = self();
  fiber->warp->operands[fiber->lane] = {to, shared, nullptr};
  if (arrive(fiber, site(LOAD_MATRIX, line))) load_matrices(fiber->warp, count, is_transposed);
}

}  // namespace stator

inline void load_matrix_x4(uint32_t *to, const void *shared, int line = __builtin_LINE()) {
  stator::load_matrix(to, shared, 4, false, line);
}
inline void load_matrix_x2(uint32_t *to, const void *shared, int line = __builtin_LINE()) {
  stator::load_matrix(to, shared, 2, false, line);
}
inline void load_matrix_x4_transposed(uint32_t *to, const void *shared, int line = __builtin_LINE()) {
  stator::load_matrix(to, shared, 4, true, line);
}
inline void load_matrix_x2_transposed(uint32_t *to, const void *shared, int line = __builtin_LINE()) {
  stator::load_matrix(to, shared, 2, true, line);
}

// ---- Asynchronous copies: done when they are waited for, not before.

inline void async_copy16(void *shared, const void *global) {
  stator::begin_copy(stator::self(), shared, global, true);
}
inline void async_copy16_or_zero(void *shared, const void *global, bool is_there) {
  stator::begin_copy(stator::self(), shared, global, is_there);
}
inline void async_commit() {
  stator::Fiber *fiber = stator::self();
  fiber->groupEnds.push_back(fiber->copies.size());
}
template <int GROUPS>
inline void async_wait() {
  stator::finish_copies(stator::self(), GROUPS);
}

// ---- Numbers

inline float fast_exp2(float x) {
  const float result = exp2f(x);
  return result < 0x1p-126f ? 0 : result;
}

namespace stator {

// To nearest, ties to even; no number is 0x7FFF, as on the device.
inline uint32_t to_bf16(float x) {
  if (x != x) return 0x7FFF;
  const uint32_t bits = __float_as_uint(x);
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

}  // namespace stator

inline uint32_t floats_to_bf16x2(float low, float high) { return stator::to_bf16(high) << 16 | stator::to_bf16(low); }

// The exponent is moved by a product, which is exact for denormals too.
inline float half_to_float(uint16_t bits) {
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7FFF) << 13;
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  if ((bits & 0x7C00) == 0x7C00) return __uint_as_float(sign | 0x7F800000 | magnitude);
  return __uint_as_float(sign | __float_as_uint(__uint_as_float(magnitude) * 0x1p112f));
}

#endif
