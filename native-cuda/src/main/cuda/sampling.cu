// What sampling needs of a row of logits. Larger values come first, of equal ones the lower id. What is no number counts as
// -infinity, and makes argmax say that there is none.
//
// Everything is exact but the sum of exponentials, which has one order: thread t takes quads of values t, t + 256, ... of a part
// in order; lanes are added 16, 8, 4, 2, 1 apart; warps in ascending order; parts likewise, each times exp(its maximum - the
// maximum of all).
#include "float_math.h"
#include "quads.h"

constexpr int ARGMAX_THREADS = 1024;
constexpr int TOP_THREADS = 256;
constexpr int PART = 4096;
constexpr int TOP_MAX = 64;
constexpr int HELD = PART / TOP_THREADS;  // values of a thread
constexpr int INDEX_BITS = 12;            // of an index in a part
constexpr int KEY_BITS = 32 + INDEX_BITS;

// Rises with the value: 1 for -infinity, more for all others. 0 stands for what is not there.
constexpr uint32_t RANK_OFFSET = 0x007FFFFEu;
constexpr uint32_t RANK_ERROR = 0xFFFFFFFFu;  // Above all values'.

DEVICE uint32_t rank_of(float value) {
  if (!(value > -INFINITY)) return 1;
  const uint32_t bits = __float_as_uint(value + 0.f);  // -0 becomes 0
  return (bits >> 31 ? ~bits : bits | 0x80000000u) - RANK_OFFSET;
}

DEVICE float value_of_rank(uint32_t rank) {
  if (rank == 0) return -INFINITY;
  const uint32_t ordered = rank + RANK_OFFSET;
  return __uint_as_float(ordered >> 31 ? ordered & 0x7FFFFFFFu : ~ordered);
}

// Larger for what comes first; of values of one rank the index decides.
DEVICE uint64_t key_of(uint32_t rank, int index) { return static_cast<uint64_t>(rank) << INDEX_BITS | (PART - 1 - index); }
DEVICE uint32_t rank_of_key(uint64_t key) { return static_cast<uint32_t>(key >> INDEX_BITS); }
DEVICE int index_of_key(uint64_t key) { return PART - 1 - static_cast<int>(key % PART); }

// The largest of the block's, for every thread. Used once in a kernel: nobody waits before the keys are written.
template <int THREADS>
DEVICE uint64_t block_max(uint64_t key) {
  __shared__ uint64_t keys[THREADS / WARP];
  for (int apart = WARP / 2; apart > 0; apart /= 2) {
    const uint64_t high = warp_shuffle_xor(static_cast<uint32_t>(key >> 32), apart);
    const uint64_t other = high << 32 | warp_shuffle_xor(static_cast<uint32_t>(key), apart);
    key = max(key, other);
  }
  if (threadIdx.x % WARP == 0) keys[threadIdx.x / WARP] = key;
  __syncthreads();
  for (int i = 0; i < THREADS / WARP; i++) key = max(key, keys[i]);
  return key;
}

KERNEL(argmax, ARGMAX_THREADS, ArgmaxParams) {
  const float *row = p.logits + static_cast<int64_t>(blockIdx.x) * p.size;
  const bool is_aligned = is_aligned16(row);
  uint64_t best = 0;
  for (int quad = threadIdx.x; 4 * quad < p.size; quad += ARGMAX_THREADS) {
    const Quad value = load_quad(row, quad, p.size, is_aligned);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int id = 4 * quad + i;
      const uint32_t rank = value.v[i] != value.v[i] ? RANK_ERROR : rank_of(value.v[i]);
      const uint64_t key = static_cast<uint64_t>(rank) << 32 | (0xFFFFFFFFu - id);
      if (id < p.size) best = max(best, key);
    }
  }
  best = block_max<ARGMAX_THREADS>(best);
  if (threadIdx.x != 0) return;
  const uint32_t rank = static_cast<uint32_t>(best >> 32);
  const bool is_finite = rank > 1 && rank < rank_of(INFINITY);
  p.ids[blockIdx.x] = is_finite ? static_cast<int32_t>(0xFFFFFFFFu - static_cast<uint32_t>(best)) : -1;
}

// How many of the block's keys are at least `from`, for every thread. `turn` rises by one from call to call: two buffers in turn
// save the second barrier.
DEVICE int count_from(const uint64_t *keys, uint64_t from, int turn) {
  __shared__ int counts[2][TOP_THREADS / WARP];
  int count = 0;
#pragma unroll
  for (int i = 0; i < HELD; i++) count += keys[i] >= from;
  for (int apart = WARP / 2; apart > 0; apart /= 2) count += warp_shuffle_xor(count, apart);
  int *own = counts[turn % 2];
  if (threadIdx.x % WARP == 0) own[threadIdx.x / WARP] = count;
  __syncthreads();
  int total = 0;
  for (int i = 0; i < TOP_THREADS / WARP; i++) total += own[i];
  return total;
}

// The k-th largest of the block's keys, or a smaller number that no key lies at or above but the k largest.
DEVICE uint64_t kth_key(const uint64_t *keys, int k) {
  uint64_t kth = 0;
  for (int bit = KEY_BITS - 1; bit >= 0; bit--) {
    const uint64_t candidate = kth | static_cast<uint64_t>(1) << bit;
    const int count = count_from(keys, candidate, bit);
    if (count >= k) kth = candidate;
    if (count == k) break;
  }
  return kth;
}

// Gives the k largest keys in falling order to store(place, key). Keys differ; those of what is not there are the smallest.
template <typename Store>
DEVICE void select_top(const uint64_t *keys, int k, Store store) {
  __shared__ uint64_t chosen[TOP_MAX];
  __shared__ int chosen_count;
  if (threadIdx.x == 0) chosen_count = 0;
  const uint64_t kth = kth_key(keys, k);  // A barrier is in it.
#pragma unroll
  for (int i = 0; i < HELD; i++) {
    if (keys[i] >= kth) chosen[atomicAdd(&chosen_count, 1)] = keys[i];  // In any order.
  }
  __syncthreads();
  if (static_cast<int>(threadIdx.x) >= k) return;
  const uint64_t own = chosen[threadIdx.x];
  int place = 0;
  for (int i = 0; i < k; i++) place += chosen[i] > own;
  store(place, own);
}

// The index in a part of a thread's i-th value.
DEVICE int held_index(int i) { return 4 * (threadIdx.x + i / 4 * TOP_THREADS) + i % 4; }

// Of a part, in the order that stands above; every thread gets it.
DEVICE float sum_of_exponentials(const float *values, float maximum) {
  __shared__ float sums[TOP_THREADS / WARP];
  float sum = 0;
#pragma unroll
  for (int i = 0; i < HELD; i++) sum += exact_exp(values[i] - maximum);
  sum = warp_sum(sum);
  if (threadIdx.x % WARP == 0) sums[threadIdx.x / WARP] = sum;
  __syncthreads();
  float total = sums[0];
  for (int i = 1; i < TOP_THREADS / WARP; i++) total += sums[i];
  return maximum == -INFINITY ? 0 : total;
}

KERNEL(top_k, TOP_THREADS, TopKParams) {
  const int64_t part = static_cast<int64_t>(blockIdx.y) * gridDim.x + blockIdx.x;
  const int first = blockIdx.x * PART;
  const float *from = p.logits + static_cast<int64_t>(blockIdx.y) * p.size + first;
  const int size = min(p.size - first, PART);
  const bool is_aligned = is_aligned16(from);
  float values[HELD];
  uint64_t keys[HELD];
  uint64_t best = 0;
#pragma unroll
  for (int i = 0; i < HELD; i += 4) {
    const Quad quad = load_quad(from, held_index(i) / 4, size, is_aligned);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const int index = held_index(i + j);
      const uint32_t rank = index < size ? rank_of(quad.v[j]) : 0;
      values[i + j] = value_of_rank(rank);
      keys[i + j] = key_of(rank, index);
      best = max(best, keys[i + j]);
    }
  }
  const float maximum = value_of_rank(rank_of_key(block_max<TOP_THREADS>(best)));
  const float sum = sum_of_exponentials(values, maximum);
  if (threadIdx.x == 0) {
    p.partSums[2 * part] = maximum;
    p.partSums[2 * part + 1] = sum;
  }
  select_top(keys, p.k, [&p, part, first](int place, uint64_t key) {
    p.partValues[part * p.k + place] = value_of_rank(rank_of_key(key));
    p.partIds[part * p.k + place] = rank_of_key(key) == 0 ? -1 : first + index_of_key(key);
  });
}

// Parts rise with their ids, and equal values within a part do: a candidate's index decides as its id would.
DEVICE void merge_sums(const TopKMergeParams &p, int64_t row) {
  const float *from = p.partSums + 2 * row * p.parts;
  float maximum = from[0];
  for (int i = 1; i < p.parts; i++) maximum = fmaxf(maximum, from[2 * i]);
  float sum = 0;
  for (int i = 0; i < p.parts; i++) {
    if (from[2 * i] > -INFINITY) sum = fmaf(from[2 * i + 1], exact_exp(from[2 * i] - maximum), sum);
  }
  p.sums[2 * row] = maximum;
  p.sums[2 * row + 1] = sum;
}

KERNEL(top_k_merge, TOP_THREADS, TopKMergeParams) {
  const int64_t row = blockIdx.x;
  const int count = p.parts * p.k;
  const float *from_values = p.partValues + row * count;
  const int32_t *from_ids = p.partIds + row * count;
  uint64_t keys[HELD];
#pragma unroll
  for (int i = 0; i < HELD; i++) {
    const int index = held_index(i);
    const bool is_there = index < count && from_ids[index] >= 0;
    keys[i] = key_of(is_there ? rank_of(from_values[index]) : 0, index);
  }
  if (threadIdx.x == 0) merge_sums(p, row);
  select_top(keys, p.k, [&p, row, from_ids](int place, uint64_t key) {
    p.values[row * p.k + place] = value_of_rank(rank_of_key(key));
    p.ids[row * p.k + place] = rank_of_key(key) == 0 ? -1 : from_ids[index_of_key(key)];
  });
}
