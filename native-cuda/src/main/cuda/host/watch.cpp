// Watches the kernels' memory, as compute-sanitizer does on a device: memcheck for device memory, racecheck for shared memory.
//
// g++ -fsanitize=thread puts a call before each access of the kernels' code; the calls lead here, not to its own library. An
// access to device memory must lie in an allocation. Two threads of a block that touch the same shared memory, one of them
// writing, must have a barrier in between: the block's, or, in one warp, the warp's. Shuffles and matrix operations are none.
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

inline bool is_same_warp(uint32_t thread, const Fiber *fiber) { return thread / LANES == fiber->thread / LANES; }

// Whether what `other` did in this epoch, at `barriers` of its warp, is not ordered before what the fiber does now.
inline bool races(const Fiber *fiber, uint32_t other, uint32_t barriers) {
  return !is_same_warp(other, fiber) || barriers == fiber->warp->barriers;
}

inline void read(const Fiber *fiber, Shadow &at, size_t offset) {
  const uint32_t epoch = fiber->processor->epoch;
  const bool is_written = at.writeEpoch == epoch && at.writer != fiber->thread;
  if (is_written && races(fiber, at.writer, at.writeBarriers)) fail_raced("reads", "writes", at.writer, offset);
  if (at.readEpoch != epoch) {
    at.hasManyReaders = at.hasManyWarps = false;
    at.reader = static_cast<uint16_t>(fiber->thread);
    at.readEpoch = epoch;
  } else if (at.reader != fiber->thread) {
    if (is_same_warp(at.reader, fiber)) {
      at.hasManyReaders = true;
    } else {
      at.hasManyWarps = true;
    }
  }
  at.readBarriers = fiber->warp->barriers;
}

inline void write(const Fiber *fiber, Shadow &at, size_t offset) {
  const uint32_t epoch = fiber->processor->epoch;
  const bool is_written = at.writeEpoch == epoch && at.writer != fiber->thread;
  if (is_written && races(fiber, at.writer, at.writeBarriers)) fail_raced("writes", "writes", at.writer, offset);
  const bool is_read = at.readEpoch == epoch && (at.hasManyWarps || at.hasManyReaders || at.reader != fiber->thread);
  if (is_read && (at.hasManyWarps || races(fiber, at.reader, at.readBarriers))) {
    fail_raced("writes", "reads", at.reader, offset);
  }
  at.writeEpoch = epoch;
  at.writeBarriers = fiber->warp->barriers;
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
