// Watches the kernels' memory, as compute-sanitizer does on a device: memcheck for device memory, racecheck for shared memory.
//
// g++ -fsanitize=thread puts a call before each access of the kernels' code; the calls lead here, not to its own library. An
// access to device memory must lie in an allocation. Two threads of a block that touch the same shared memory, one of them
// writing, must have barriers in between: the block's, one of some warps that leads from one to the other, or, in one warp, the
// warp's. Shuffles and matrix operations are none.
#include <algorithm>

#include "emulator.h"

namespace stator {

namespace {

constexpr size_t STATIC_OFFSET = size_t{1} << 32;  // What is in a __shared__ array has no offset to speak of.

[[noreturn]] void fail_raced(const char *what, const char *before, uint32_t other, size_t offset) {
  if (offset >= STATIC_OFFSET) {
    fail("%s a __shared__ array where thread %u %s, with no barrier in between", what, other, before);
  }
  fail("%s byte %zu of shared memory, which thread %u %s, with no barrier in between", what, offset, other, before);
}

// Whether what a thread of warp `other` did at `clock` may happen beside what the fiber does now.
inline bool is_beside(const Fiber *fiber, uint32_t other, uint32_t clock) {
  const Clocks &clocks = fiber->processor->clocks;
  const uint32_t own = fiber->warp->index;
  return other == own ? clock == clocks.own[own] : clock >= clocks.known[own][other];
}

inline void check_write(const Fiber *fiber, const Shadow &at, const char *what, size_t offset) {
  if (at.writeClock == 0 || at.writer == fiber->thread) return;
  if (is_beside(fiber, at.writer / LANES, at.writeClock)) fail_raced(what, "writes", at.writer, offset);
}

inline void read(const Fiber *fiber, Shadow &at, size_t offset) {
  check_write(fiber, at, "reads", offset);
  const uint32_t warp = fiber->warp->index;
  const uint32_t clock = fiber->processor->clocks.own[warp];
  const bool is_again = at.readers >> warp & 1 && at.readClock[warp] == clock && at.readLane[warp] != fiber->lane;
  at.readLane[warp] = is_again ? MANY_LANES : static_cast<uint8_t>(fiber->lane);
  at.readClock[warp] = clock;
  at.readers |= 1u << warp;
}

inline void write(const Fiber *fiber, Shadow &at, size_t offset) {
  check_write(fiber, at, "writes", offset);
  for (uint32_t left = at.readers; left != 0; left &= left - 1) {
    const uint32_t warp = static_cast<uint32_t>(__builtin_ctz(left));
    const uint8_t lane = at.readLane[warp];
    if (warp == fiber->warp->index && lane == fiber->lane) continue;
    if (!is_beside(fiber, warp, at.readClock[warp])) continue;
    fail_raced("writes", "reads", warp * LANES + (lane == MANY_LANES ? 0 : lane), offset);
  }
  at.readers = 0;
  at.writeClock = fiber->processor->clocks.own[fiber->warp->index];
  at.writer = static_cast<uint16_t>(fiber->thread);
}

// Single bytes are not watched: two of them share a shadow.
inline void watch_shared(const Fiber *fiber, Shadow *shadow, size_t offset, uint32_t bytes, bool is_write) {
  for (size_t at = offset; at + 1 < offset + bytes; at += 2) {
    Shadow &two = shadow[at % STATIC_OFFSET / 2];
    if (is_write) {
      write(fiber, two, at);
    } else {
      read(fiber, two, at);
    }
  }
}

inline bool holds(const Range &range, uintptr_t at, uint32_t bytes) {
  return at - range.start < range.bytes && range.bytes - (at - range.start) >= bytes;
}

bool is_allocated(Processor *processor, uintptr_t at, uint32_t bytes) {
  const std::vector<Range> &memory = *processor->launch->memory;
  const auto after = std::upper_bound(memory.begin(), memory.end(), at,
                                      [](uintptr_t address, const Range &range) { return address < range.start; });
  if (after == memory.begin() || !holds(after[-1], at, bytes)) return false;
  processor->recent[processor->recentNext++ % 4] = after[-1];
  return true;
}

void watch_device(Processor *processor, uintptr_t at, uint32_t bytes, bool is_write) {
  const char *what = is_write ? "writes" : "reads";
  const uintptr_t shared = reinterpret_cast<uintptr_t>(processor->shared);
  if (at - (shared - GUARD_BYTES) < SHARED_BYTES_MAX + 2 * GUARD_BYTES) {
    fail("%s byte %td of its %u bytes of shared memory", what, at - shared, processor->launch->sharedBytes);
  }
  const Launch &launch = *processor->launch;
  const Range params = {reinterpret_cast<uintptr_t>(launch.params), launch.kernel->paramsBytes};
  if (holds(params, at, bytes) || holds(processor->code, at, bytes)) return;
  if (launch.memory == nullptr || is_allocated(processor, at, bytes)) return;
  fail("%s %u bytes at %#zx, which is not device memory", what, bytes, at);
}

}  // namespace

void Clocks::meet(uint32_t warps) {
  for (uint32_t left = warps; left != 0; left &= left - 1) own[__builtin_ctz(left)]++;
  uint32_t joined[WARPS_MAX] = {};
  for (uint32_t left = warps; left != 0; left &= left - 1) {
    const uint32_t warp = static_cast<uint32_t>(__builtin_ctz(left));
    known[warp][warp] = own[warp];
    for (uint32_t v = 0; v < WARPS_MAX; v++) joined[v] = std::max(joined[v], known[warp][v]);
  }
  for (uint32_t left = warps; left != 0; left &= left - 1) memcpy(known[__builtin_ctz(left)], joined, sizeof joined);
}

inline void watch_access(Fiber *fiber, uintptr_t at, uint32_t bytes, bool is_write) {
  Processor *processor = fiber->processor;
  if (at - reinterpret_cast<uintptr_t>(processor->stacks) < processor->stacksBytes) return;
  const uintptr_t dynamic = at - reinterpret_cast<uintptr_t>(processor->shared);
  if (dynamic < processor->launch->sharedBytes && dynamic + bytes <= processor->launch->sharedBytes) {
    return watch_shared(fiber, processor->shadow.data(), dynamic, bytes, is_write);
  }
  const uintptr_t fixed = at - reinterpret_cast<uintptr_t>(processor->staticShared);
  if (fixed < processor->staticSharedBytes) {
    return watch_shared(fiber, processor->staticShadow.data(), STATIC_OFFSET + fixed, bytes, is_write);
  }
  for (const Range &range : processor->recent) {
    if (holds(range, at, bytes)) return;
  }
  watch_device(processor, at, bytes, is_write);
}

void watch(Fiber *fiber, const void *address, uint32_t bytes, bool is_write) {
  watch_access(fiber, reinterpret_cast<uintptr_t>(address), bytes, is_write);
}

}  // namespace stator

// ---- What g++ calls

#define ACCESS(name, bytes)                                                                          \
  extern "C" void __tsan_read##name(uintptr_t at) { stator::watch_access(stator::self(), at, bytes, false); } \
  extern "C" void __tsan_write##name(uintptr_t at) { stator::watch_access(stator::self(), at, bytes, true); }

ACCESS(1, 1)
ACCESS(2, 2)
ACCESS(4, 4)
ACCESS(8, 8)
ACCESS(16, 16)

extern "C" {

void __tsan_read_range(uintptr_t at, size_t bytes) {
  stator::watch_access(stator::self(), at, static_cast<uint32_t>(bytes), false);
}

void __tsan_write_range(uintptr_t at, size_t bytes) {
  stator::watch_access(stator::self(), at, static_cast<uint32_t>(bytes), true);
}

void __tsan_init() {}

}  // extern "C"
