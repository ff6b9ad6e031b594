// Runs blocks, one after another, on one OS thread.
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "emulator.h"

namespace stator {

namespace {

// Names the thread-local segment; the kernels' __shared__ arrays are the rest of it.
thread_local char shared_segment_marker;

// A kernel thread's life.
void run_thread() {
  Fiber *fiber = self();
  const Launch &launch = *fiber->processor->launch;
  launch.kernel->run(launch.params);
  return_from_kernel(fiber);
}

struct Library {
  Range code;
  uint8_t *threadLocals;
  size_t threadLocalBytes;
};

// Finds the library that code.start lies in, all of it, and its thread-local segment.
int find_library(dl_phdr_info *info, size_t, void *found) {
  Library *library = static_cast<Library *>(found);
  Range whole = {UINTPTR_MAX, 0};
  uintptr_t end = 0;
  size_t bytes = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) &header = info->dlpi_phdr[i];
    const uintptr_t start = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD) {
      whole.start = std::min(whole.start, start);
      end = std::max(end, start + header.p_memsz);
    }
    if (header.p_type == PT_TLS) bytes = header.p_memsz;
  }
  if (library->code.start < whole.start || library->code.start >= end) return 0;
  *library = {{whole.start, end - whole.start}, static_cast<uint8_t *>(info->dlpi_tls_data), bytes};
  return 1;
}

pthread_key_t processor_key;
pthread_once_t processor_once = PTHREAD_ONCE_INIT;

}  // namespace

// Not a thread_local: those are poisoned.
Processor &processor() {
  pthread_once(&processor_once, [] {
    pthread_key_create(&processor_key, [](void *old) { delete static_cast<Processor *>(old); });
  });
  void *mine = pthread_getspecific(processor_key);
  if (mine == nullptr) {
    mine = new Processor();
    pthread_setspecific(processor_key, mine);
  }
  return *static_cast<Processor *>(mine);
}

Processor::Processor() {
  sharedRoom = static_cast<uint8_t *>(operator new(SHARED_BYTES_MAX + 2 * GUARD_BYTES, std::align_val_t(128)));
  shared = sharedRoom + GUARD_BYTES;
  *static_cast<volatile char *>(&shared_segment_marker) = 0;  // Makes the segment.
  Library library = {{reinterpret_cast<uintptr_t>(&run_thread), 0}, nullptr, 0};
  dl_iterate_phdr(find_library, &library);
  code = library.code;
  staticShared = library.threadLocals;
  staticSharedBytes = library.threadLocals == nullptr ? 0 : library.threadLocalBytes;
  staticShadow.resize(staticSharedBytes / 2 + 1);
}

Processor::~Processor() {
  release_stacks();
  operator delete(sharedRoom, std::align_val_t(128));
}

void Processor::release_stacks() {
  for (size_t at = 0; at < stacksBytes; at += STACK_BYTES) {
    fiber_of(reinterpret_cast<uintptr_t>(stacks) + at)->~Fiber();
  }
  if (stacksBytes != 0) munmap(stacks, stacksBytes);
  stacksBytes = 0;
}

void Processor::make_room(uint32_t threads) {
  const size_t needed = threads * STACK_BYTES;
  if (needed <= stacksBytes) return;
  release_stacks();
  const size_t bytes = needed + STACK_BYTES;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *room = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  const uintptr_t start = reinterpret_cast<uintptr_t>(room);
  const uintptr_t aligned = (start + STACK_BYTES - 1) & ~(STACK_BYTES - 1);
  if (aligned != start) munmap(room, aligned - start);
  const uintptr_t end = aligned + needed;
  munmap(reinterpret_cast<void *>(end), start + bytes - end);
  stacks = reinterpret_cast<uint8_t *>(aligned);
  stacksBytes = needed;
  madvise(stacks, stacksBytes, MADV_NOHUGEPAGE);
  for (uint32_t i = 0; i < threads; i++) {
    Fiber *fiber = new (fiber_of(aligned + i * STACK_BYTES)) Fiber();
    fiber->processor = this;
    fiber->warp = &warps[i / LANES];
    fiber->lane = i % LANES;
    fiber->thread = i;
  }
}

// Every second block takes its threads in falling order: a missing barrier shows whichever way data go.
void Processor::prepare_fibers(bool backwards) {
  const uintptr_t first = reinterpret_cast<uintptr_t>(stacks);
  const uint32_t step = backwards ? LANES - 1 : 1;
  const uint32_t start = backwards ? LANES - 1 : 0;
  for (uint32_t w = 0; w < warpCount; w++) {
    const auto lane = [&](uint32_t i) { return fiber_of(first + (w * LANES + i % LANES) * STACK_BYTES); };
    for (uint32_t i = 0; i < LANES; i++) {
      Fiber *fiber = lane(i);
      fiber->next = lane(i + step);
      fiber->copies.clear();
      fiber->groupEnds.clear();
      prepare_fiber(fiber, run_thread);
    }
    Warp &warp = warps[w];
    warp.arrived = 0;
    warp.parity = 0;
    warp.index = w;
    warp.isWaiting = warp.isFenced = false;
    warp.resume = lane(start);
    warp.next = &warps[(backwards ? w + warpCount - 1 : w + 1) % warpCount];
  }
}

void Processor::poison() {
  const size_t room = (launch->sharedBytes + size_t{15}) & ~size_t{15};
  memset(sharedRoom, POISON, room + 2 * GUARD_BYTES);
  if (staticSharedBytes != 0) memset(staticShared, POISON, staticSharedBytes);
  if (shadow.size() < room / 2) shadow.resize(room / 2);
  clocks.meet(UINT32_MAX);
}

void Processor::check_surroundings() {
  const uint8_t *end = shared + launch->sharedBytes;
  for (size_t i = 0; i < GUARD_BYTES; i++) {
    if (sharedRoom[i] != POISON) return fail("has written below shared memory");
    if (end[i] != POISON) return fail("has written behind its %u bytes of shared memory", launch->sharedBytes);
  }
}

void Processor::check_stacks() {
  for (uint32_t i = 0; i < launch->threads; i++) {
    if (has_overflown(stacks + i * STACK_BYTES)) {
      return fail("needs more stack than the emulator's %zu bytes a thread", STACK_BYTES);
    }
  }
}

void Processor::check_mbarriers() {
  for (const MBarrier &barrier : mbarriers) {
    if (!barrier.copies.empty()) return fail("ends with a bulk copy that nobody has waited for");
  }
}

bool Processor::run(const Launch &next, uint64_t block_index) {
  make_room(next.threads);
  launch = &next;
  block.x = static_cast<uint32_t>(block_index % next.grid.x);
  block.y = static_cast<uint32_t>(block_index / next.grid.x % next.grid.y);
  block.z = static_cast<uint32_t>(block_index / next.grid.x / next.grid.y);
  warpCount = next.threads / LANES;
  warpsWaiting = warpsReturned = 0;
  for (GroupBarrier &barrier : groupBarriers) barrier = {};
  mbarriers.clear();
  for (Warpgroup &group : warpgroups) group.reset();
  hasFailed = false;
  for (Range &range : recent) range = {};
  poison();
  const bool backwards = block_index % 2 != 0;
  prepare_fibers(backwards);
  switch_fiber(&main, warps[backwards ? warpCount - 1 : 0].resume);
  if (!hasFailed) check_surroundings();
  if (!hasFailed) check_stacks();
  if (!hasFailed) check_mbarriers();
  return !hasFailed;
}

bool Processor::is_shared(const void *address) const {
  const uint8_t *at = static_cast<const uint8_t *>(address);
  const bool is_dynamic = at >= shared && at + 16 <= shared + launch->sharedBytes;
  return is_dynamic || (at >= staticShared && at + 16 <= staticShared + staticSharedBytes);
}

void Processor::fail_with(const char *thread, const char *format, va_list arguments) {
  const int length = snprintf(message, sizeof message, "kernel %s, block (%u, %u, %u)%s: ", launch->kernel->name,
                              block.x, block.y, block.z, thread);
  vsnprintf(message + length, sizeof message - static_cast<size_t>(length), format, arguments);
  hasFailed = true;
}

void Processor::fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail_with("", format, arguments);
  va_end(arguments);
}

void fail(const char *format, ...) {
  Fiber *fiber = self();
  char thread[32];
  snprintf(thread, sizeof thread, ", thread %u", fiber->thread);
  va_list arguments;
  va_start(arguments, format);
  fiber->processor->fail_with(thread, format, arguments);
  va_end(arguments);
  switch_fiber(fiber, &fiber->processor->main);
  __builtin_unreachable();
}

uint3 thread_index() { return {self()->thread, 0, 0}; }
uint3 block_index() { return self()->processor->block; }
uint3 block_size() { return {self()->processor->launch->threads, 1, 1}; }
uint3 grid_size() { return self()->processor->launch->grid; }
void *shared_memory() { return self()->processor->shared; }

}  // namespace stator
