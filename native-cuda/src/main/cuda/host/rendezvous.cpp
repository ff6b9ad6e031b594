// What threads of a block do together.
#include <stdio.h>

#include "emulator.h"

namespace stator {

namespace {

const char *name_of(uint32_t site) {
  switch (static_cast<Kind>(site >> 24)) {
    case RETURN: return "the kernel's end";
    case BLOCK_BARRIER: return "__syncthreads";
    case GROUP_BARRIER: return "group_barrier";
    case WARP_BARRIER: return "warp_sync";
    case SHUFFLE: return "a shuffle";
    case BALLOT: return "warp_ballot";
    case LOAD_MATRIX: return "load_matrix";
    case MATRIX_PRODUCT: return "mma";
    case MBARRIER_WAIT: return "mbarrier_wait";
    case WGMMA_FENCE: return "wgmma_fence";
    case WGMMA: return "wgmma";
    case WGMMA_COMMIT: return "wgmma_commit";
    case WGMMA_WAIT: return "wgmma_wait";
  }
  return "?";
}

struct Place {
  char text[64];
};

Place place(uint32_t site) {
  Place place;
  const uint32_t line = site & 0xFFFFFF;
  if (line == 0) {
    snprintf(place.text, sizeof place.text, "%s", name_of(site));
  } else {
    snprintf(place.text, sizeof place.text, "%s of line %u", name_of(site), line);
  }
  return place;
}

}  // namespace

void fail_diverged(uint32_t site) {
  const Fiber *fiber = self();
  const Processor *processor = fiber->processor;
  const bool is_warps = fiber->warp->arrived != 0;
  const uint32_t waiting = is_warps                      ? fiber->warp->site
                           : processor->warpsWaiting != 0 ? processor->waitingSite
                                                          : stator::site(RETURN, 0);
  fail("comes to %s while others of its %s wait at %s", place(site).text, is_warps ? "warp" : "block",
       place(waiting).text);
}

bool arrive(Fiber *fiber, uint32_t site) {
  Warp *warp = fiber->warp;
  if (warp->arrived == 0) {
    warp->site = site;
  } else if (warp->site != site) {
    fail_diverged(site);
  }
  if (++warp->arrived == LANES) {
    warp->arrived = 0;
    return true;
  }
  switch_fiber(fiber, fiber->next);
  return false;
}

void wait(Fiber *last) {
  Warp *warp = last->warp;
  warp->isWaiting = true;
  warp->resume = last;
  Warp *next = warp->next;
  while (next->isWaiting && next != warp) next = next->next;
  if (next == warp && warp->site == site(RETURN, 0)) fail("returns while all that are left wait for others");
  if (next == warp) fail("waits at %s for ever: all others wait elsewhere or have returned", place(warp->site).text);
  switch_fiber(last, next->resume);
}

namespace {

void release(Processor *processor, uint32_t warps) {
  processor->clocks.meet(warps);
  for (uint32_t w = 0; w < processor->warpCount; w++) {
    if (warps >> w & 1) processor->warps[w].isWaiting = false;
  }
}

// A whole warp has come to a barrier of the block.
void arrive_at_block(Fiber *last, uint32_t site) {
  Processor *processor = last->processor;
  if (processor->warpsReturned != 0) fail_diverged(site);
  if (processor->warpsWaiting == 0) {
    processor->waitingSite = site;
  } else if (processor->waitingSite != site) {
    fail_diverged(site);
  }
  if (++processor->warpsWaiting < processor->warpCount) return wait(last);
  processor->warpsWaiting = 0;
  release(processor, UINT32_MAX);
}

// A whole warp has come to a barrier of `count` warps.
void arrive_at_group(Fiber *last, GroupBarrier &barrier, uint32_t count, uint32_t site) {
  if (barrier.arrived == 0) {
    barrier.site = site;
    barrier.expected = count;
  } else if (barrier.site != site || barrier.expected != count) {
    fail("comes to %s for %u warps while others wait at %s for %u", place(site).text, count, place(barrier.site).text,
         barrier.expected);
  }
  barrier.arrived |= 1u << last->warp->index;
  if (static_cast<uint32_t>(__builtin_popcount(barrier.arrived)) < count) return wait(last);
  release(last->processor, barrier.arrived);
  barrier.arrived = 0;
}

// All lanes' values, until the next operation but one.
inline const uint32_t *exchange(Fiber *fiber, Kind kind, uint32_t bits, int line) {
  Warp *warp = fiber->warp;
  uint32_t *values = warp->values[warp->parity];
  values[fiber->lane] = bits;
  if (arrive(fiber, site(kind, line))) warp->parity ^= 1;
  return values;
}

}  // namespace

void return_from_kernel(Fiber *fiber) {
  if (!fiber->copies.empty()) fail("returns with asynchronous copies that it has not waited for");
  const Warpgroup &group = fiber->processor->warpgroups[fiber->warp->index / GROUP_WARPS];
  if (!group.begun.empty()) fail("returns with matrix instructions of its warpgroup that it has not waited for");
  const uint32_t site = stator::site(RETURN, 0);
  if (arrive(fiber, site)) {
    Processor *processor = fiber->processor;
    if (processor->warpsWaiting != 0) fail_diverged(site);
    processor->warpsReturned++;
    if (processor->warpsReturned < processor->warpCount) wait(fiber);
    switch_fiber(fiber, &processor->main);
  }
  __builtin_unreachable();
}

void block_barrier(int line) {
  Fiber *fiber = self();
  const uint32_t site = stator::site(BLOCK_BARRIER, line);
  if (arrive(fiber, site)) arrive_at_block(fiber, site);
}

void group_barrier(int id, uint32_t threads, int line) {
  Fiber *fiber = self();
  if (id <= 0 || id >= static_cast<int>(GROUP_BARRIERS) || threads % LANES != 0) {
    fail("group_barrier %d of %u threads, expected 1 to %u and whole warps", id, threads, GROUP_BARRIERS - 1);
  }
  const uint32_t site = stator::site(GROUP_BARRIER, line);
  if (!arrive(fiber, site)) return;
  arrive_at_group(fiber, fiber->processor->groupBarriers[id], threads / LANES, site);
}

void warp_barrier(int line) {
  Fiber *fiber = self();
  if (arrive(fiber, site(WARP_BARRIER, line))) fiber->processor->clocks.own[fiber->warp->index]++;
}

uint32_t shuffle_xor(uint32_t bits, int mask, int line) {
  Fiber *fiber = self();
  return exchange(fiber, SHUFFLE, bits, line)[(fiber->lane ^ static_cast<uint32_t>(mask)) % LANES];
}

uint32_t shuffle(uint32_t bits, int lane, int line) {
  return exchange(self(), SHUFFLE, bits, line)[static_cast<uint32_t>(lane) % LANES];
}

uint32_t shuffle_down(uint32_t bits, int count, int line) {
  Fiber *fiber = self();
  const uint32_t from = fiber->lane + static_cast<uint32_t>(count);
  return exchange(fiber, SHUFFLE, bits, line)[from < LANES ? from : fiber->lane];
}

uint32_t ballot(bool is_true, int line) {
  const uint32_t *values = exchange(self(), BALLOT, is_true, line);
  uint32_t bits = 0;
  for (uint32_t lane = 0; lane < LANES; lane++) bits |= values[lane] << lane;
  return bits;
}

// ---- Matrices; layouts as in ../stator.h

namespace {

constexpr uint32_t ROWS = 16;
constexpr uint32_t DEPTH = 16;
constexpr uint32_t COLUMNS = 8;

double double_of_bf16(uint32_t bits) { return bits_as<float>(bits << 16); }

void read_factors(const Warp *warp, double a[ROWS][DEPTH], double b[DEPTH][COLUMNS]) {
  for (uint32_t lane = 0; lane < LANES; lane++) {
    const uint32_t *from_a = static_cast<const uint32_t *>(warp->operands[lane].a);
    const uint32_t *from_b = static_cast<const uint32_t *>(warp->operands[lane].b);
    const uint32_t group = lane / 4;
    const uint32_t pair = lane % 4 * 2;
    for (uint32_t i = 0; i < 4; i++) {
      double *row = a[group + i % 2 * 8] + pair + i / 2 * 8;
      row[0] = double_of_bf16(from_a[i] & 0xFFFF);
      row[1] = double_of_bf16(from_a[i] >> 16);
    }
    for (uint32_t i = 0; i < 2; i++) {
      b[pair + i * 8][group] = double_of_bf16(from_b[i] & 0xFFFF);
      b[pair + i * 8 + 1][group] = double_of_bf16(from_b[i] >> 16);
    }
  }
}

// Products of bf16 are exact in float64; they are added in ascending k, then to d, which is rounded once. The device's own
// order within an instruction is fixed, but not published.
void multiply(const Warp *warp) {
  double a[ROWS][DEPTH];
  double b[DEPTH][COLUMNS];
  double sums[ROWS][COLUMNS];
  read_factors(warp, a, b);
  for (uint32_t row = 0; row < ROWS; row++) {
    double sum[COLUMNS] = {};
    for (uint32_t k = 0; k < DEPTH; k++) {
      for (uint32_t column = 0; column < COLUMNS; column++) sum[column] += a[row][k] * b[k][column];
    }
    memcpy(sums[row], sum, sizeof sum);
  }
  for (uint32_t lane = 0; lane < LANES; lane++) {
    float *to = static_cast<float *>(warp->operands[lane].to);
    for (uint32_t i = 0; i < 4; i++) {
      to[i] = static_cast<float>(static_cast<double>(to[i]) + sums[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2]);
    }
  }
}

void load(const Warp *warp, uint32_t count, bool is_transposed) {
  for (uint32_t lane = 0; lane < LANES; lane++) {
    uint32_t *to = static_cast<uint32_t *>(warp->operands[lane].to);
    for (uint32_t i = 0; i < count; i++) {
      uint32_t pair[2];
      for (uint32_t j = 0; j < 2; j++) {
        const uint32_t row = is_transposed ? lane % 4 * 2 + j : lane / 4;
        const uint32_t column = is_transposed ? lane / 4 : lane % 4 * 2 + j;
        pair[j] = static_cast<const uint16_t *>(warp->operands[i * 8 + row].a)[column];
      }
      to[i] = pair[1] << 16 | pair[0];
    }
  }
}

}  // namespace

Floats4 multiply_matrices(Floats4 d, Words4 a, Words2 b, int line) {
  Fiber *fiber = self();
  fiber->warp->operands[fiber->lane] = {d.v, a.v, b.v};
  if (arrive(fiber, site(MATRIX_PRODUCT, line))) multiply(fiber->warp);
  return d;
}

Words4 load_matrices(const void *shared, int count, bool is_transposed, int line) {
  Fiber *fiber = self();
  if (fiber->lane < 8 * static_cast<uint32_t>(count)) {
    if (reinterpret_cast<uintptr_t>(shared) % 16 != 0) fail("load_matrix: %p is not aligned to 16", shared);
    if (!fiber->processor->is_shared(shared)) fail("load_matrix: %p is not the block's shared memory", shared);
    watch(fiber, shared, 16, false);
  }
  Words4 to = {};
  fiber->warp->operands[fiber->lane] = {to.v, shared, nullptr};
  if (arrive(fiber, site(LOAD_MATRIX, line))) load(fiber->warp, static_cast<uint32_t>(count), is_transposed);
  return to;
}

// ---- Asynchronous copies: done when they are waited for, not before.

void begin_copy(void *to, const void *from, bool is_there) {
  Fiber *fiber = self();
  if (reinterpret_cast<uintptr_t>(to) % 16 != 0 || (is_there && reinterpret_cast<uintptr_t>(from) % 16 != 0)) {
    fail("copies 16 bytes from %p to %p, which are not both aligned to 16", from, to);
  }
  if (!fiber->processor->is_shared(to)) fail("copies to %p, which is not the block's shared memory", to);
  if (is_there) watch(fiber, from, 16, false);
  watch(fiber, to, 16, true);
  fiber->copies.push_back({to, is_there ? from : nullptr});
}

void end_copy_group() {
  Fiber *fiber = self();
  fiber->groupEnds.push_back(fiber->copies.size());
}

void finish_copies(size_t groups_left) {
  Fiber *fiber = self();
  if (fiber->groupEnds.size() <= groups_left) return;
  const size_t groups = fiber->groupEnds.size() - groups_left;
  const size_t count = fiber->groupEnds[groups - 1];
  for (size_t i = 0; i < count; i++) {
    const Copy &copy = fiber->copies[i];
    watch(fiber, copy.to, 16, true);
    if (copy.from == nullptr) {
      memset(copy.to, 0, 16);
    } else {
      memcpy(copy.to, copy.from, 16);
    }
  }
  fiber->copies.erase(fiber->copies.begin(), fiber->copies.begin() + static_cast<ptrdiff_t>(count));
  fiber->groupEnds.erase(fiber->groupEnds.begin(), fiber->groupEnds.begin() + static_cast<ptrdiff_t>(groups));
  for (size_t &end : fiber->groupEnds) end -= count;
}

uint32_t add_atomically(void *to, uint32_t value) {
  return __atomic_fetch_add(static_cast<uint32_t *>(to), value, __ATOMIC_RELAXED);
}

void add_float_atomically(float *to, float value) {
  watch(self(), to, sizeof *to, true);
  uint32_t *bits = reinterpret_cast<uint32_t *>(to);
  uint32_t before = __atomic_load_n(bits, __ATOMIC_RELAXED);
  uint32_t after;
  do {
    after = bits_as<uint32_t>(bits_as<float>(before) + value);
  } while (!__atomic_compare_exchange_n(bits, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

}  // namespace stator
