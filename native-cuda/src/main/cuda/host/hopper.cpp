// What compute capability 9.0 has beyond others: barriers that count bytes, bulk copies, matrix instructions of a warpgroup.
//
// Both end as late as they may: a copy when its barrier's phase is waited for, an instruction when its group is. So what is
// read without waiting is poison, or a race; and what is changed too early is changed for them.
#include <algorithm>

#include "emulator.h"

namespace stator {

namespace {

// Where a kernel sees its dynamic shared memory begin: behind what the system takes, aligned to 16 and no more.
constexpr uint32_t SHARED_START = 1040;

uint8_t *shared_at(const Fiber *fiber, uint32_t address, uint32_t bytes) {
  const Processor *processor = fiber->processor;
  if (address < SHARED_START || address - SHARED_START + bytes > processor->launch->sharedBytes) {
    fail("wgmma reads address %u, which is not the block's shared memory", address);
  }
  return processor->shared + (address - SHARED_START);
}

bool is_aligned(const void *address, uintptr_t bytes) { return reinterpret_cast<uintptr_t>(address) % bytes == 0; }

// What the fiber's warp has done so far is ordered before what those will do who learn `clocks`.
void publish(const Fiber *fiber, uint32_t *clocks) {
  Clocks &all = fiber->processor->clocks;
  const uint32_t own = fiber->warp->index;
  all.known[own][own] = ++all.own[own];
  for (uint32_t warp = 0; warp < WARPS_MAX; warp++) clocks[warp] = std::max(clocks[warp], all.known[own][warp]);
}

void learn(const Fiber *fiber, const uint32_t *clocks) {
  const uint32_t own = fiber->warp->index;
  uint32_t *known = fiber->processor->clocks.known[own];
  for (uint32_t warp = 0; warp < WARPS_MAX; warp++) {
    if (warp != own) known[warp] = std::max(known[warp], clocks[warp]);
  }
}

bool is_over(const MBarrier &barrier) { return barrier.left == 0 && barrier.bytes == 0; }

void end_phase(MBarrier &barrier) {
  for (const BulkCopy &copy : barrier.copies) memcpy(copy.to, copy.from, copy.bytes);
  barrier.copies.clear();
  barrier.left = barrier.arrivals;
  barrier.phases++;
  memcpy(barrier.ended, barrier.arrived, sizeof barrier.ended);
}

MBarrier &mbarrier_at(const Fiber *fiber, const void *place) {
  for (MBarrier &barrier : fiber->processor->mbarriers) {
    if (barrier.place != place) continue;
    const uint32_t maker = barrier.madeBy / LANES;
    const uint32_t own = fiber->warp->index;
    const bool is_known = maker == own || barrier.madeAt < fiber->processor->clocks.known[own][maker];
    if (!barrier.isFenced || !is_known) {
      fail("uses an mbarrier without mbarrier_fence and a barrier behind mbarrier_init");
    }
    return barrier;
  }
  fail("uses an mbarrier at %p, where there is none", place);
}

// Lets those go on who wait for a phase that is over; they look again.
void wake(const Fiber *fiber, const MBarrier &barrier) {
  if (!is_over(barrier)) return;
  Processor *processor = fiber->processor;
  for (uint32_t w = 0; w < processor->warpCount; w++) {
    Warp &warp = processor->warps[w];
    const bool is_here = warp.site >> 24 == MBARRIER_WAIT && warp.operands[0].a == barrier.place;
    if (warp.isWaiting && is_here) warp.isWaiting = false;
  }
}

}  // namespace

uint32_t shared_address(const void *shared) {
  const uint8_t *start = self()->processor->shared;
  return SHARED_START + static_cast<uint32_t>(static_cast<const uint8_t *>(shared) - start);
}

void init_mbarrier(void *place, uint32_t arrivals) {
  Fiber *fiber = self();
  Processor *processor = fiber->processor;
  if (!is_aligned(place, 8) || arrivals == 0) fail("makes an mbarrier at %p for %u arrivals", place, arrivals);
  watch(fiber, place, 8, true);
  for (const MBarrier &other : processor->mbarriers) {
    if (other.place == place) fail("makes an mbarrier where there is one");
  }
  MBarrier barrier = {};
  barrier.place = place;
  barrier.arrivals = barrier.left = arrivals;
  barrier.madeBy = fiber->thread;
  barrier.madeAt = processor->clocks.own[fiber->warp->index];
  processor->mbarriers.push_back(barrier);
}

void fence_mbarriers() {
  const Fiber *fiber = self();
  for (MBarrier &barrier : fiber->processor->mbarriers) {
    if (barrier.madeBy == fiber->thread) barrier.isFenced = true;
  }
}

void arrive_at_mbarrier(void *place, uint32_t bytes) {
  Fiber *fiber = self();
  MBarrier &barrier = mbarrier_at(fiber, place);
  if (is_over(barrier)) end_phase(barrier);
  if (barrier.left == 0) fail("arrives at an mbarrier where all have");
  barrier.left--;
  barrier.bytes += bytes;
  publish(fiber, barrier.arrived);
  wake(fiber, barrier);
}

void wait_for_mbarrier(void *place, uint32_t parity, int line) {
  Fiber *fiber = self();
  Warp *warp = fiber->warp;
  warp->operands[fiber->lane] = {nullptr, place, reinterpret_cast<const void *>(static_cast<uintptr_t>(parity))};
  if (!arrive(fiber, site(MBARRIER_WAIT, line))) return;
  for (const Operands &lane : warp->operands) {
    if (lane.a != place || lane.b != warp->operands[0].b) {
      fail("waits for another mbarrier, or parity, than others of its warp");
    }
  }
  MBarrier &barrier = mbarrier_at(fiber, place);
  for (;;) {
    if (is_over(barrier)) end_phase(barrier);
    if ((barrier.phases & 1) != parity) break;
    wait(fiber);
  }
  learn(fiber, barrier.ended);
}

void begin_bulk_copy(void *to, const void *from, uint32_t bytes, void *place) {
  Fiber *fiber = self();
  if (!is_aligned(to, 16) || !is_aligned(from, 16) || bytes == 0 || bytes % 16 != 0) {
    fail("copies %u bytes from %p to %p, which are not all multiples of 16", bytes, from, to);
  }
  const void *last = static_cast<uint8_t *>(to) + bytes - 16;
  const bool is_inside = fiber->processor->is_shared(to) && fiber->processor->is_shared(last);
  if (!is_inside) fail("copies to %p, which is not the block's shared memory", to);
  MBarrier &barrier = mbarrier_at(fiber, place);
  watch(fiber, from, bytes, false);
  watch(fiber, to, bytes, true);
  barrier.copies.push_back({to, from, bytes});
  barrier.bytes -= bytes;
  publish(fiber, barrier.arrived);
  wake(fiber, barrier);
}

// ---- Matrix instructions of a warpgroup

namespace {

constexpr uint32_t DEPTH = 16;
constexpr uint32_t TOKENS_MAX = 256;

Warpgroup &group_of(const Fiber *fiber) {
  const uint32_t index = fiber->warp->index / GROUP_WARPS;
  if ((index + 1) * GROUP_WARPS > fiber->processor->warpCount) fail("uses wgmma in a warpgroup of fewer than 4 warps");
  return fiber->processor->warpgroups[index];
}

uint32_t thread_of(const Fiber *fiber) { return fiber->thread % GROUP_LANES; }

// True when all four warps have come, in the last. That orders nothing that they do.
bool arrive_at_warpgroup(Fiber *last, Warpgroup &group, uint32_t site) {
  if (group.arrived == 0) {
    group.site = site;
  } else if (group.site != site) {
    fail_diverged(site);
  }
  group.arrived |= 1u << last->warp->index % GROUP_WARPS;
  if (group.arrived != (1u << GROUP_WARPS) - 1) {
    wait(last);
    return false;
  }
  group.arrived = 0;
  Warp *first = &last->processor->warps[last->warp->index / GROUP_WARPS * GROUP_WARPS];
  for (uint32_t w = 0; w < GROUP_WARPS; w++) first[w].isWaiting = false;
  return true;
}

// Which of the group's accumulators in flight are d's; their number when none.
size_t sums_of(const Warpgroup &group, const float *d) {
  return static_cast<size_t>(std::find(group.sumsOf.begin(), group.sumsOf.end(), d) - group.sumsOf.begin());
}

// Takes the accumulators out of the threads' hands.
void begin(Warpgroup &group) {
  const Wgmma &next = group.next;
  group.begun.push_back(next);
  if (sums_of(group, next.threads[0].d) < group.sums.size()) return;
  const size_t count = next.tokens / 2;
  std::vector<float> sums(GROUP_LANES * count);
  for (uint32_t thread = 0; thread < GROUP_LANES; thread++) {
    memcpy(&sums[thread * count], next.threads[thread].d, count * sizeof(float));
    memset(next.threads[thread].d, POISON, count * sizeof(float));
  }
  group.sums.push_back(std::move(sums));
  group.sumsOf.push_back(next.threads[0].d);
}

// Gives accumulators back that no instruction is to change any more.
void give_back(Warpgroup &group, const Wgmma &last) {
  for (const Wgmma &other : group.begun) {
    if (other.threads[0].d == last.threads[0].d) return;
  }
  const size_t at = sums_of(group, last.threads[0].d);
  const size_t bytes = last.tokens / 2 * sizeof(float);
  std::vector<uint8_t> poison(bytes, POISON);
  for (uint32_t thread = 0; thread < GROUP_LANES; thread++) {
    float *d = last.threads[thread].d;
    if (memcmp(d, poison.data(), bytes) != 0) {
      fail("thread %u of a warpgroup changes accumulators before wgmma_wait", thread);
    }
    memcpy(d, &group.sums[at][thread * (last.tokens / 2)], bytes);
  }
  group.sums.erase(group.sums.begin() + static_cast<ptrdiff_t>(at));
  group.sumsOf.erase(group.sumsOf.begin() + static_cast<ptrdiff_t>(at));
}

// Eight k of a token, 16 bytes, by the matrix descriptor of the PTX ISA for a matrix whose k lie side by side:
//
//   bits 0-13   start address                  each in units of 16 bytes
//   bits 16-29  without a swizzle: from the first 8 k to the second
//   bits 32-45  from 8 tokens to the next 8
//   bits 49-51  base offset: 0 where the pattern is aligned to its own size
//   bits 62-63  swizzle of 0: none, 1: 128, 2: 64, 3: 32 bytes
//
// Without a swizzle 8 tokens' 16 bytes follow each other; with one of S bytes a token has S bytes, and of an address the bits
// from 4 on, as many as count the 16 bytes in S, are flipped by those from 7 on.
struct Matrix {
  uint32_t start, ofEight, ofTokens, mode;

  explicit Matrix(uint64_t descriptor) {
    const auto field = [&](int bit) { return static_cast<uint32_t>(descriptor >> bit & 0x3FFF) << 4; };
    start = field(0);
    ofEight = field(16);
    ofTokens = field(32);
    mode = static_cast<uint32_t>(descriptor >> 62);
    if ((descriptor >> 49 & 7) != 0) fail("wgmma with a base offset, which is not emulated");
  }

  uint32_t address(uint32_t token, uint32_t eight) const {
    if (mode == 0) return start + token / 8 * ofTokens + token % 8 * 16 + eight * ofEight;
    const uint32_t bytes = 256u >> mode;
    const uint32_t plain = start + token / 8 * ofTokens + token % 8 * bytes + eight * 16;
    return plain ^ ((plain >> 7 & (bytes / 16 - 1)) << 4);
  }
};

double double_of_bf16(uint32_t bits) { return bits_as<float>(bits << 16); }

// b[k][token]; read on behalf of each of the four warps.
void read_tokens(Fiber *fiber, const Wgmma &on, double *b) {
  const Matrix matrix(on.descriptor);
  const uint32_t firstThread = fiber->thread / GROUP_LANES * GROUP_LANES;
  Fiber *readers[GROUP_WARPS];
  const uintptr_t stacks = reinterpret_cast<uintptr_t>(fiber->processor->stacks);
  for (uint32_t w = 0; w < GROUP_WARPS; w++) readers[w] = fiber_of(stacks + (firstThread + w * LANES) * STACK_BYTES);
  for (uint32_t token = 0; token < on.tokens; token++) {
    for (uint32_t eight = 0; eight < 2; eight++) {
      const uint8_t *from = shared_at(fiber, matrix.address(token, eight), 16);
      // Copies write 16 bytes at least.
      for (Fiber *reader : readers) watch(reader, from, 2, false);
      uint16_t bits[8];
      memcpy(bits, from, sizeof bits);
      for (uint32_t k = 0; k < 8; k++) b[(eight * 8 + k) * TOKENS_MAX + token] = double_of_bf16(bits[k]);
    }
  }
}

// As an mma for each 8 tokens: products in ascending k, then d, rounded once.
void multiply(Fiber *fiber, Warpgroup &group, const Wgmma &on) {
  std::vector<double> b(DEPTH * TOKENS_MAX);  // [k][token]
  read_tokens(fiber, on, b.data());
  std::vector<float> &sums = group.sums[sums_of(group, on.threads[0].d)];
  for (uint32_t row = 0; row < GROUP_WARPS * 16; row++) {
    double sum[TOKENS_MAX] = {};
    const uint32_t firstThread = row / 16 * LANES + row % 8 * 4;
    const uint32_t half = row / 8 % 2;
    for (uint32_t k = 0; k < DEPTH; k++) {
      const uint32_t *a = on.threads[firstThread + k % 8 / 2].aThen;
      const double factor = double_of_bf16(a[half + k / 8 * 2] >> k % 2 * 16 & 0xFFFF);
      const double *row_of_b = &b[k * TOKENS_MAX];
      for (uint32_t token = 0; token < TOKENS_MAX; token++) sum[token] += factor * row_of_b[token];
    }
    for (uint32_t token = 0; token < on.tokens; token++) {
      const uint32_t thread = firstThread + token % 8 / 2;
      float &d = sums[thread * (on.tokens / 2) + token / 8 * 4 + half * 2 + token % 2];
      d = static_cast<float>(static_cast<double>(d) + sum[token]);
    }
  }
}

void finish_first(Fiber *fiber, Warpgroup &group) {
  const Wgmma on = group.begun.front();
  for (uint32_t thread = 0; thread < GROUP_LANES; thread++) {
    const auto &of = on.threads[thread];
    if (memcmp(of.a, of.aThen, sizeof of.aThen) != 0) {
      fail("thread %u of a warpgroup changes its fragment before wgmma_wait", thread);
    }
  }
  multiply(fiber, group, on);
  group.begun.erase(group.begun.begin());
  give_back(group, on);
}

}  // namespace

void fence_wgmma(int line) {
  Fiber *fiber = self();
  group_of(fiber);
  if (arrive(fiber, site(WGMMA_FENCE, line))) fiber->warp->isFenced = true;
}

void begin_wgmma(float *d, uint32_t tokens, const uint32_t *a, uint64_t descriptor, int line) {
  Fiber *fiber = self();
  Warpgroup &group = group_of(fiber);
  if (tokens > TOKENS_MAX || tokens % 8 != 0) fail("wgmma of %u tokens", tokens);
  auto &mine = group.next.threads[thread_of(fiber)];
  mine.d = d;
  mine.a = a;
  memcpy(mine.aThen, a, sizeof mine.aThen);
  if (thread_of(fiber) % LANES == 0 && group.arrived == 0) {
    group.next.descriptor = descriptor;
    group.next.tokens = tokens;
  }
  const uint32_t site = stator::site(WGMMA, line);
  fiber->warp->operands[fiber->lane].a = reinterpret_cast<const void *>(descriptor);
  if (!arrive(fiber, site)) return;
  if (!fiber->warp->isFenced) fail("wgmma takes registers without wgmma_fence since its last group");
  for (const Operands &lane : fiber->warp->operands) {
    if (reinterpret_cast<uint64_t>(lane.a) != group.next.descriptor) fail("wgmma of one warpgroup with two descriptors");
  }
  if (arrive_at_warpgroup(fiber, group, site)) begin(group);
}

void commit_wgmma(int line) {
  Fiber *fiber = self();
  Warpgroup &group = group_of(fiber);
  const uint32_t site = stator::site(WGMMA_COMMIT, line);
  if (!arrive(fiber, site)) return;
  fiber->warp->isFenced = false;
  if (arrive_at_warpgroup(fiber, group, site)) group.groupEnds.push_back(group.begun.size());
}

void wait_for_wgmma(uint32_t groups_left, int line) {
  Fiber *fiber = self();
  Warpgroup &group = group_of(fiber);
  const uint32_t site = stator::site(WGMMA_WAIT, line);
  if (!arrive(fiber, site) || !arrive_at_warpgroup(fiber, group, site)) return;
  while (group.groupEnds.size() > groups_left) {
    const size_t count = group.groupEnds.front();
    for (size_t i = 0; i < count; i++) finish_first(fiber, group);
    group.groupEnds.erase(group.groupEnds.begin());
    for (size_t &end : group.groupEnds) end -= count;
  }
}

}  // namespace stator
