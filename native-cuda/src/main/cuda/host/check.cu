// Kernels with and without mistakes, which show that the emulator does what it says. The device has none of them.
#include "../stator.h"

struct CheckParams {
  const void *from;
  void *to;
  int32_t count;
};

// to[i] = block's sum of from, by shuffles and static shared memory; grid (blocks), 64 threads: from[block][64].
KERNEL(check_block_sum, 64, CheckParams) {
  __shared__ float sums[2];
  const int32_t at = blockIdx.x * blockDim.x + threadIdx.x;
  const float sum = warp_sum(static_cast<const float *>(p.from)[at]);
  if (threadIdx.x % WARP == 0) sums[threadIdx.x / WARP] = sum;
  __syncthreads();
  static_cast<float *>(p.to)[at] = sums[0] + sums[1];
}

// Each block's values reversed, through shared memory, with a barrier in between or without.
DEVICE void reverse(const CheckParams &p, bool waits) {
  SHARED_MEMORY(int32_t, values);
  const int32_t first = blockIdx.x * blockDim.x;
  values[threadIdx.x] = static_cast<const int32_t *>(p.from)[first + threadIdx.x];
  if (waits) __syncthreads();
  static_cast<int32_t *>(p.to)[first + threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}
KERNEL(check_reverse, 1024, CheckParams) { reverse(p, true); }
KERNEL(check_reverse_without_barrier, 1024, CheckParams) { reverse(p, false); }

// Neighbours' values within a warp; of threads [0, 32).
DEVICE void read_neighbour(const CheckParams &p, bool waits) {
  SHARED_MEMORY(int32_t, values);
  values[threadIdx.x] = static_cast<const int32_t *>(p.from)[threadIdx.x];
  if (waits) warp_sync();
  static_cast<int32_t *>(p.to)[threadIdx.x] = values[(threadIdx.x + WARP + p.count) % WARP];
}
KERNEL(check_neighbour, 32, CheckParams) { read_neighbour(p, true); }
KERNEL(check_neighbour_without_barrier, 32, CheckParams) { read_neighbour(p, false); }

// to[block][thread] = how many of the block's threads came before, counted behind them, in to[blocks * 32 + block], at first 0.
KERNEL(check_turns, 32, CheckParams) {
  int32_t *to = static_cast<int32_t *>(p.to);
  to[blockIdx.x * WARP + threadIdx.x] = atomicAdd(to + gridDim.x * WARP + blockIdx.x, 1);
}

// Values written, read by others, and written again.
DEVICE void reuse(const CheckParams &p, bool waits) {
  SHARED_MEMORY(int32_t, values);
  values[threadIdx.x] = threadIdx.x;
  __syncthreads();
  static_cast<int32_t *>(p.to)[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
  if (waits) __syncthreads();
  values[threadIdx.x] = 1;
}
KERNEL(check_reuse, 64, CheckParams) { reuse(p, true); }
KERNEL(check_reuse_without_barrier, 64, CheckParams) { reuse(p, false); }

// One thread writes, all read, in a warp each and then in the block.
KERNEL(check_broadcast, 64, CheckParams) {
  __shared__ int32_t of_warp[2];
  __shared__ int32_t of_block;
  const int warp = threadIdx.x / WARP;
  if (threadIdx.x % WARP == 3) of_warp[warp] = warp + p.count;
  if (threadIdx.x == 40) of_block = p.count;
  warp_sync();
  const int32_t sum = of_warp[warp];
  __syncthreads();
  static_cast<int32_t *>(p.to)[threadIdx.x] = sum + of_block + of_warp[1 - warp];
}

// Two groups of two warps write, meet each by itself, and read `count` threads on; then, perhaps, all meet and read again.
DEVICE void hand_on(const CheckParams &p, bool ends_together) {
  SHARED_MEMORY(int32_t, values);
  const int group = threadIdx.x / 64;
  values[threadIdx.x] = threadIdx.x;
  group_barrier<64>(1 + group);
  static_cast<int32_t *>(p.to)[threadIdx.x] = values[(threadIdx.x + p.count) % blockDim.x];
  if (ends_together) __syncthreads();
  if (ends_together) static_cast<int32_t *>(p.to)[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}
KERNEL(check_group, 128, CheckParams) { hand_on(p, true); }
KERNEL(check_group_alone, 128, CheckParams) { hand_on(p, false); }

// Warp `count` never comes.
KERNEL(check_group_without_warp, 128, CheckParams) {
  const bool comes = static_cast<int32_t>(threadIdx.x / WARP) != p.count;
  if (comes) group_barrier<128>(1);
  if (!comes) __syncthreads();
}

KERNEL(check_group_return, 128, CheckParams) {
  if (static_cast<int32_t>(threadIdx.x / WARP) != p.count) group_barrier<128>(1);
}

KERNEL(check_sums_of_two_warps, 64, CheckParams) {
  __shared__ int32_t sum;
  if (threadIdx.x % WARP == 0) sum = threadIdx.x;
  __syncthreads();
  static_cast<int32_t *>(p.to)[threadIdx.x] = sum;
}

// A copy begins into what others still read.
KERNEL(check_copy_in_use, 32, CheckParams) {
  SHARED_MEMORY(uint4, values);
  values[threadIdx.x] = make_uint4(threadIdx.x, 0, 0, 0);
  warp_sync();
  static_cast<uint32_t *>(p.to)[threadIdx.x] = values[WARP - 1 - threadIdx.x].x;
  if (threadIdx.x == WARP - 1) async_copy16(values + WARP - 1, p.from);
  async_commit();
  async_wait<0>();
}

KERNEL(check_wild_read, 32, CheckParams) {
  static_cast<int32_t *>(p.to)[threadIdx.x] = static_cast<const int32_t *>(p.from)[p.count];
}

KERNEL(check_wild_write, 32, CheckParams) { static_cast<int32_t *>(p.to)[p.count + static_cast<int>(threadIdx.x)] = 1; }

// 16 bytes a thread, through shared memory, in two groups of copies.
DEVICE void copy(const CheckParams &p, int waits) {
  SHARED_MEMORY(uint4, values);
  const int32_t at = 2 * (blockIdx.x * blockDim.x + threadIdx.x);
  const uint4 *from = static_cast<const uint4 *>(p.from) + at;
  async_copy16(values + 2 * threadIdx.x, from);
  async_commit();
  async_copy16_or_zero(values + 2 * threadIdx.x + 1, from + 1, threadIdx.x % 2 == 0);
  async_commit();
  uint4 *to = static_cast<uint4 *>(p.to) + at;
  if (waits > 0) async_wait<1>();
  to[0] = values[2 * threadIdx.x];
  if (waits > 1) async_wait<0>();
  to[1] = values[2 * threadIdx.x + 1];
  async_wait<0>();
}
KERNEL(check_copy, 128, CheckParams) { copy(p, 2); }
KERNEL(check_copy_without_wait, 128, CheckParams) { copy(p, 0); }
KERNEL(check_copy_with_one_wait, 128, CheckParams) { copy(p, 1); }

KERNEL(check_copy_left_behind, 32, CheckParams) {
  SHARED_MEMORY(uint4, values);
  async_copy16(values + threadIdx.x, static_cast<const uint4 *>(p.from) + threadIdx.x);
}

KERNEL(check_copy_elsewhere, 32, CheckParams) {
  async_copy16(p.to, p.from);
  async_wait<0>();
}

// Threads from `count` on return before the barrier.
KERNEL(check_return_before_barrier, 256, CheckParams) {
  if (static_cast<int32_t>(threadIdx.x) >= p.count) return;
  __syncthreads();
}

KERNEL(check_two_barriers, 256, CheckParams) {
  if (static_cast<int32_t>(threadIdx.x) < p.count) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

KERNEL(check_shuffle_at_barrier, 32, CheckParams) {
  if (static_cast<int32_t>(threadIdx.x) < p.count) {
    warp_shuffle(1, 0);
  } else {
    warp_sync();
  }
}

KERNEL(check_misaligned, 32, CheckParams) {
  static_cast<uint32_t *>(p.to)[0] = reinterpret_cast<const uint4 *>(static_cast<const char *>(p.from) + p.count)->x;
}

KERNEL(check_beyond_shared, 32, CheckParams) {
  SHARED_MEMORY(int32_t, values);
  values[p.count + static_cast<int32_t>(threadIdx.x)] = 1;
}

KERNEL(check_beyond_array, 32, CheckParams) {
  int32_t values[4] = {1, 2, 3, 4};
  static_cast<int32_t *>(p.to)[threadIdx.x] = values[p.count];
}

// A warp's product, through shared memory: from = a[16][16] then b[8][16] (a column a row), bf16; to = d[16][8].
KERNEL(check_product, 32, CheckParams) {
  SHARED_MEMORY(uint16_t, values);
  const uint16_t *from = static_cast<const uint16_t *>(p.from);
  for (int i = threadIdx.x; i < 384; i += WARP) values[i] = from[i];
  __syncthreads();
  const int lane = threadIdx.x;
  uint32_t a[4];
  uint32_t b[2];
  load_matrix_x4(a, values + lane % 16 * 16 + lane / 16 * 8);
  load_matrix_x2(b, values + 256 + lane % 8 * 16 + lane / 8 % 2 * 8);
  float d[4] = {};
  mma_bf16(d, a, b);
  float *to = static_cast<float *>(p.to);
  for (int i = 0; i < 4; i++) to[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = d[i];
}

// from = 32 rows of 8 16-bit values, to = uint32[32 lanes][4], each matrix transposed.
KERNEL(check_transposed, 32, CheckParams) {
  SHARED_MEMORY(uint4, values);
  values[threadIdx.x] = static_cast<const uint4 *>(p.from)[threadIdx.x];
  __syncthreads();
  load_matrix_x4_transposed(static_cast<uint32_t *>(p.to) + 4 * threadIdx.x, values + threadIdx.x);
}

// `count` rendezvous of warps and as many of blocks, for measurements; to[thread] = the number of shuffles.
KERNEL(check_rendezvous, 256, CheckParams) {
  int32_t sum = 0;
  for (int i = 0; i < p.count; i++) sum += warp_shuffle_xor(1, 1);
  for (int i = 0; i < p.count; i++) __syncthreads();
  static_cast<int32_t *>(p.to)[threadIdx.x] = sum;
}
