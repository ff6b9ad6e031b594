// stator.h for the CPU: CUDA's names and the project's own, by the emulator.
#ifndef STATOR_HOST_SHIM_H
#define STATOR_HOST_SHIM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

#define threadIdx (stator::thread_index())
#define blockIdx (stator::block_index())
#define blockDim (stator::block_size())
#define gridDim (stator::grid_size())
#define SHARED_MEMORY(type, name) type *name = static_cast<type *>(stator::shared_memory())

struct uint3 {
  uint32_t x, y, z;
};

// ---- What the emulator does; `line` is the caller's: lanes in different lines have diverged.

namespace stator {

// What a kernel's registration says; `run` runs one thread.
struct Kernel {
  const char *name;
  uint32_t threadsMax;
  uint32_t paramsBytes;
  void (*run)(const void *params);
  Kernel *next;
};

struct Registration {
  explicit Registration(Kernel *kernel);
};

// A thread's surroundings never change, hence the attribute.
__attribute__((const)) uint3 thread_index();
__attribute__((const)) uint3 block_index();
__attribute__((const)) uint3 block_size();
__attribute__((const)) uint3 grid_size();
__attribute__((const)) void *shared_memory();

void block_barrier(int line);
void group_barrier(int id, uint32_t threads, int line);
void warp_barrier(int line);
uint32_t shuffle_xor(uint32_t bits, int mask, int line);
uint32_t shuffle(uint32_t bits, int lane, int line);
uint32_t shuffle_down(uint32_t bits, int count, int line);
uint32_t ballot(bool is_true, int line);
// By value, so that the arrays of a kernel have no address and may live in registers.
struct Floats4 {
  float v[4];
};
struct Words2 {
  uint32_t v[2];
};
struct Words4 {
  uint32_t v[4];
};
Floats4 multiply_matrices(Floats4 d, Words4 a, Words2 b, int line);
Words4 load_matrices(const void *shared, int count, bool is_transposed, int line);
void begin_copy(void *shared, const void *global, bool is_there);
void end_copy_group();
void finish_copies(size_t groups_left);
uint32_t add_atomically(void *to, uint32_t value);
void add_float_atomically(float *to, float value);
// hopper.cpp
uint32_t shared_address(const void *shared);
void init_mbarrier(void *place, uint32_t arrivals);
void fence_mbarriers();
void arrive_at_mbarrier(void *place, uint32_t bytes);
void wait_for_mbarrier(void *place, uint32_t parity, int line);
void begin_bulk_copy(void *shared, const void *global, uint32_t bytes, void *place);
void fence_wgmma(int line);
void commit_wgmma(int line);
void wait_for_wgmma(uint32_t groups_left, int line);
void begin_wgmma(float *d, uint32_t tokens, const uint32_t *a, uint64_t descriptor, int line);

template <typename To, typename From>
inline To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From), "values of 32 bits");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

// To nearest, ties to even; no number is 0x7FFF, as on the device.
inline uint32_t to_bf16(float x) {
  if (x != x) return 0x7FFF;
  const uint32_t bits = bits_as<uint32_t>(x);
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

}  // namespace stator

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

inline float __uint_as_float(uint32_t bits) { return stator::bits_as<float>(bits); }
inline uint32_t __float_as_uint(float value) { return stator::bits_as<uint32_t>(value); }
inline float __int_as_float(int32_t bits) { return stator::bits_as<float>(bits); }
inline int32_t __float_as_int(float value) { return stator::bits_as<int32_t>(value); }
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
  static_assert(static_cast<T>(0.5) == 0, "integers only: sums of floats would depend on the order");
  return stator::bits_as<T>(stator::add_atomically(to, stator::bits_as<uint32_t>(value)));
}
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

inline void __syncthreads(int line = __builtin_LINE()) { stator::block_barrier(line); }
inline void __syncwarp(int line = __builtin_LINE()) { stator::warp_barrier(line); }

// ---- The project's own, as ../stator.h says

inline void warp_sync(int line = __builtin_LINE()) { stator::warp_barrier(line); }

template <int THREADS>
inline void group_barrier(int id, int line = __builtin_LINE()) {
  stator::group_barrier(id, THREADS, line);
}

template <typename T>
inline T warp_shuffle_xor(T value, int mask, int line = __builtin_LINE()) {
  return stator::bits_as<T>(stator::shuffle_xor(stator::bits_as<uint32_t>(value), mask, line));
}

template <typename T>
inline T warp_shuffle(T value, int lane, int line = __builtin_LINE()) {
  return stator::bits_as<T>(stator::shuffle(stator::bits_as<uint32_t>(value), lane, line));
}

template <typename T>
inline T warp_shuffle_down(T value, int count, int line = __builtin_LINE()) {
  return stator::bits_as<T>(stator::shuffle_down(stator::bits_as<uint32_t>(value), count, line));
}

inline uint32_t warp_ballot(bool is_true, int line = __builtin_LINE()) { return stator::ballot(is_true, line); }

DEVICE void mma_bf16(float *d, const uint32_t *a, const uint32_t *b, int line = __builtin_LINE()) {
  const stator::Floats4 sums = stator::multiply_matrices({{d[0], d[1], d[2], d[3]}}, {{a[0], a[1], a[2], a[3]}},
                                                         {{b[0], b[1]}}, line);
  for (int i = 0; i < 4; i++) d[i] = sums.v[i];
}

DEVICE void load_matrix_x4(uint32_t *to, const void *shared, int line = __builtin_LINE()) {
  const stator::Words4 from = stator::load_matrices(shared, 4, false, line);
  for (int i = 0; i < 4; i++) to[i] = from.v[i];
}
DEVICE void load_matrix_x2(uint32_t *to, const void *shared, int line = __builtin_LINE()) {
  const stator::Words4 from = stator::load_matrices(shared, 2, false, line);
  for (int i = 0; i < 2; i++) to[i] = from.v[i];
}
DEVICE void load_matrix_x4_transposed(uint32_t *to, const void *shared, int line = __builtin_LINE()) {
  const stator::Words4 from = stator::load_matrices(shared, 4, true, line);
  for (int i = 0; i < 4; i++) to[i] = from.v[i];
}
DEVICE void load_matrix_x2_transposed(uint32_t *to, const void *shared, int line = __builtin_LINE()) {
  const stator::Words4 from = stator::load_matrices(shared, 2, true, line);
  for (int i = 0; i < 2; i++) to[i] = from.v[i];
}

inline void add_in_any_order(float *to, float value) { stator::add_float_atomically(to, value); }

inline void async_copy16(void *shared, const void *global) { stator::begin_copy(shared, global, true); }
inline void async_copy16_or_zero(void *shared, const void *global, bool is_there) {
  stator::begin_copy(shared, global, is_there);
}
inline void async_commit() { stator::end_copy_group(); }
template <int GROUPS>
inline void async_wait() {
  stator::finish_copies(GROUPS);
}

// ---- As ../hopper.h says

inline uint32_t shared_address(const void *shared) { return stator::shared_address(shared); }
inline void mbarrier_init(uint64_t *barrier, uint32_t arrivals) { stator::init_mbarrier(barrier, arrivals); }
inline void mbarrier_fence() { stator::fence_mbarriers(); }
inline void mbarrier_arrive(uint64_t *barrier) { stator::arrive_at_mbarrier(barrier, 0); }
inline void mbarrier_expect(uint64_t *barrier, uint32_t bytes) { stator::arrive_at_mbarrier(barrier, bytes); }
inline void mbarrier_wait(uint64_t *barrier, uint32_t parity, int line = __builtin_LINE()) {
  stator::wait_for_mbarrier(barrier, parity, line);
}
inline void bulk_copy(void *shared, const void *global, uint32_t bytes, uint64_t *barrier) {
  stator::begin_bulk_copy(shared, global, bytes, barrier);
}
template <int COUNT>
inline void keep_registers() {}
template <int COUNT>
inline void take_registers() {}
inline void wgmma_fence(int line = __builtin_LINE()) { stator::fence_wgmma(line); }
inline void wgmma_commit(int line = __builtin_LINE()) { stator::commit_wgmma(line); }
inline void wgmma_own(uint32_t (&)[4]) {}
template <int GROUPS>
inline void wgmma_wait(int line = __builtin_LINE()) {
  stator::wait_for_wgmma(GROUPS, line);
}
template <int SUMS>
inline void wgmma_bf16(float (&d)[SUMS], const uint32_t (&a)[4], uint64_t descriptor, int line = __builtin_LINE()) {
  stator::begin_wgmma(d, 2 * SUMS, a, descriptor, line);
}

inline float fast_exp2(float x) {
  const float result = exp2f(x);
  return result < 0x1p-126f ? 0 : result;
}

inline uint32_t floats_to_bf16x2(float low, float high) { return stator::to_bf16(high) << 16 | stator::to_bf16(low); }

// The exponent is moved by a product, which is exact for denormals too.
inline float half_to_float(uint16_t bits) {
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7FFF) << 13;
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  if ((bits & 0x7C00) == 0x7C00) return __uint_as_float(sign | 0x7F800000 | magnitude);
  return __uint_as_float(sign | __float_as_uint(__uint_as_float(magnitude) * 0x1p112f));
}

#endif
