// Kernels with and without mistakes in the use of compute capability 9.0's instructions. The device has none of them.
#include "../hopper.h"

struct CheckWgmmaParams {
  const uint16_t *a;  // [64][16] bf16
  const void *b;      // `bytes` of shared memory as the descriptor says
  float *d;           // [64][16 tokens]
  int32_t bytes;
  int32_t mode;      // of the descriptor
  int32_t ofEight;   // bytes
  int32_t ofTokens;  // bytes
  int32_t mistake;
};

enum Mistake {
  NONE,
  NO_FENCE,
  NO_WAIT,
  FRAGMENT_CHANGED,
  SUMS_CHANGED,
  COPY_NOT_AWAITED,
  BARRIER_NOT_FENCED,
  TOO_MANY_BYTES,
  REFILLED,
};

constexpr int CHECK_SUMS = 8;

// One warpgroup's d = a * b + 1; 128 threads, shared memory of 1024 + bytes + 16.
KERNEL(check_wgmma, 128, CheckWgmmaParams) {
  SHARED_MEMORY(uint8_t, shared);
  uint8_t *b = shared + (-shared_address(shared) & 1023);
  uint64_t *came = reinterpret_cast<uint64_t *>(b + p.bytes);
  uint64_t *done = came + 1;
  if (threadIdx.x == 0) {
    mbarrier_init(came, 1);
    mbarrier_init(done, 4);
    if (p.mistake != BARRIER_NOT_FENCED) mbarrier_fence();
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    mbarrier_expect(came, p.bytes + (p.mistake == TOO_MANY_BYTES ? 16 : 0));
    bulk_copy(b, p.b, p.bytes, came);
  }
  const int row = threadIdx.x / WARP * 16 + threadIdx.x % WARP / 4;
  const int column = threadIdx.x % 4 * 2;
  uint32_t a[4];
  for (int i = 0; i < 4; i++) {
    const uint16_t *from = p.a + (row + i % 2 * 8) * 16 + column + i / 2 * 8;
    a[i] = from[0] | static_cast<uint32_t>(from[1]) << 16;
  }
  float d[CHECK_SUMS];
  for (float &sum : d) sum = 1;
  if (p.mistake != COPY_NOT_AWAITED) mbarrier_wait(came, 0);
  const uint64_t descriptor = (shared_address(b) & 0x3FFFF) >> 4 | static_cast<uint64_t>(p.ofEight / 16) << 16 |
                              static_cast<uint64_t>(p.ofTokens / 16) << 32 | static_cast<uint64_t>(p.mode) << 62;
  if (p.mistake != NO_FENCE) wgmma_fence();
  wgmma_bf16(d, a, descriptor);
  wgmma_commit();
  if (p.mistake == FRAGMENT_CHANGED) a[0] = 0;
  if (p.mistake == SUMS_CHANGED) d[3] = 0;
  if (p.mistake == REFILLED && threadIdx.x == 0) {
    mbarrier_expect(came, 16);
    bulk_copy(b, p.b, 16, came);
  }
  if (p.mistake != NO_WAIT) wgmma_wait<0>();
  for (int i = 0; i < CHECK_SUMS; i++) {
    p.d[(row + i % 4 / 2 * 8) * 16 + i / 4 * 8 + column + i % 2] = d[i];
  }
  wgmma_wait<0>();
  if (threadIdx.x % WARP == 0) mbarrier_arrive(done);
  mbarrier_wait(done, 0);
  if (p.mistake == REFILLED) mbarrier_wait(came, 1);
}
