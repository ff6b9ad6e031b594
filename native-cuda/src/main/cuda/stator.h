// What kernels are written with. nvcc makes CUDA of it; g++ with -DSTATOR_HOST makes an emulation that runs on the CPU
// (host/shim.h), in which threads of a block take turns and every rendezvous is checked.
//
//   KERNEL(name, threads, Params) { ... p.member ... }        one struct by value, `p`; at most `threads` threads a block
//   threadIdx, blockIdx, blockDim, gridDim, __shared__, __syncthreads()    as in CUDA
//   SHARED_MEMORY(type, name);                                dynamic shared memory, aligned to 16 bytes
//
// All 32 lanes of a warp come to each warp operation, all threads of a block to each __syncthreads(), at the same place.
#ifndef STATOR_STATOR_H
#define STATOR_STATOR_H

#include "params.h"

#define WARP 32
#define WARP_ALL 0xFFFFFFFFu

#ifdef STATOR_HOST

#include "host/shim.h"

#else

#define DEVICE __device__ __forceinline__

#define KERNEL(name, threads, Params) \
  extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Params p)

// As KERNEL, with registers kept few enough for `blocks` blocks of threads at a time on a multiprocessor.
#define KERNEL_RESIDENT(name, threads, blocks, Params) \
  extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Params p)

extern __shared__ uint4 stator_shared_memory[];
#define SHARED_MEMORY(type, name) type *name = reinterpret_cast<type *>(stator_shared_memory)

DEVICE void warp_sync() { __syncwarp(); }

// A barrier of THREADS threads, whole warps, that name the same id (1 to 15), as __syncthreads is one of all.
template <int THREADS>
DEVICE void group_barrier(int id) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "n"(THREADS) : "memory");
}

template <typename T>
DEVICE T warp_shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(WARP_ALL, value, mask);
}

template <typename T>
DEVICE T warp_shuffle(T value, int lane) {
  return __shfl_sync(WARP_ALL, value, lane);
}

template <typename T>
DEVICE T warp_shuffle_down(T value, int count) {
  return __shfl_down_sync(WARP_ALL, value, count);
}

DEVICE uint32_t warp_ballot(bool is_true) { return __ballot_sync(WARP_ALL, is_true); }

DEVICE uint32_t shared_address(const void *shared) { return static_cast<uint32_t>(__cvta_generic_to_shared(shared)); }

// *to += value, whoever comes first: for kernels that promise no bits, and no others.
DEVICE void add_in_any_order(float *to, float value) { atomicAdd(to, value); }

// Copies 16 bytes from device to shared memory, both aligned to 16; they are there after async_wait and, for other threads,
// a barrier behind it.
DEVICE void async_copy16(void *shared, const void *global) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(shared)), "l"(global) : "memory");
}

// The same, or 16 zeros in place of bytes that must not be read; global is aligned, but may point anywhere then.
DEVICE void async_copy16_or_zero(void *shared, const void *global, bool is_there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global),
               "r"(is_there ? 16 : 0)
               : "memory");
}

// Ends a group of this thread's copies.
DEVICE void async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits for this thread's groups but the last GROUPS.
template <int GROUPS>
DEVICE void async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(GROUPS) : "memory");
}

// Matrices of 8 x 8 16-bit values: lane 8 i + r gives the address of row r of matrix i, 16 bytes aligned to 16, and gets in
// to[i] the values 2 c and 2 c + 1 of row lane / 4, with c = lane % 4.
DEVICE void load_matrix_x4(uint32_t *to, const void *shared) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(shared))
               : "memory");
}

// Lanes 0 to 15 give addresses.
DEVICE void load_matrix_x2(uint32_t *to, const void *shared) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(to[0]), "=r"(to[1])
               : "r"(shared_address(shared))
               : "memory");
}

// Each matrix transposed: to[i] is column lane / 4 of its rows 2 c and 2 c + 1.
DEVICE void load_matrix_x4_transposed(uint32_t *to, const void *shared) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(shared))
               : "memory");
}

DEVICE void load_matrix_x2_transposed(uint32_t *to, const void *shared) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(to[0]), "=r"(to[1])
               : "r"(shared_address(shared))
               : "memory");
}

// d[16][8] += a[16][16] * b[16][8], bf16 in, float32 out. With g = lane / 4 and c = lane % 4 a lane holds
//   a[0] = a[g][2c, 2c+1]  a[1] = a[g+8][2c, 2c+1]  a[2] = a[g][2c+8, 2c+9]  a[3] = a[g+8][2c+8, 2c+9]
//   b[0] = b[2c, 2c+1][g]  b[1] = b[2c+8, 2c+9][g]
//   d[0], d[1] = d[g][2c], d[g][2c+1]               d[2], d[3] = d[g+8][2c], d[g+8][2c+1]
// the lower index in the lower half of a register.
DEVICE void mma_bf16(float *d, const uint32_t *a, const uint32_t *b) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// 2^x within 2 units of the last place; denormal results are zeros.
DEVICE float fast_exp2(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

// Two values as bf16, to nearest, ties to even; `low` in the lower half.
DEVICE uint32_t floats_to_bf16x2(float low, float high) {
  uint32_t result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}

DEVICE float half_to_float(uint16_t bits) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(bits));
  return result;
}

#endif

DEVICE uint16_t float_to_bf16(float x) { return static_cast<uint16_t>(floats_to_bf16x2(x, 0.f)); }

DEVICE float bf16_to_float(uint16_t bits) { return __uint_as_float(static_cast<uint32_t>(bits) << 16); }

// The lower and the upper half.
DEVICE float low_bf16_to_float(uint32_t pair) { return __uint_as_float(pair << 16); }
DEVICE float high_bf16_to_float(uint32_t pair) { return __uint_as_float(pair & 0xFFFF0000u); }

// Every lane gets the same bits: pairs 16, 8, 4, 2, 1 lanes apart are added, and addition commutes.
DEVICE float warp_sum(float value) {
  for (int apart = WARP / 2; apart > 0; apart /= 2) value += warp_shuffle_xor(value, apart);
  return value;
}

DEVICE float warp_max(float value) {
  for (int apart = WARP / 2; apart > 0; apart /= 2) value = fmaxf(value, warp_shuffle_xor(value, apart));
  return value;
}

#endif
