#include "machine.h"

#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <new>

#ifndef STATOR_USES_UCONTEXT
// stator_switch(save, load): leaves the callee-saved registers on the stack, the stack pointer in *save; goes on at load.
// Jumping, not returning, keeps the processor's stack of return addresses out of it.
asm(R"(
  .text
  .p2align 4
  .hidden stator_switch
  .globl stator_switch
  .type stator_switch, @function
stator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
  .size stator_switch, .-stator_switch
)");
#endif

namespace stator {

namespace {

constexpr size_t GUARD_BYTES = 256;
// Below a stack, where nothing writes unless the stack has grown too far; memory fresh from the system is zeros.
constexpr size_t STACK_END_BYTES = 64;

// Names the thread-local segment; the kernels' __shared__ arrays are the rest of it.
thread_local char shared_segment_marker;

const char *name_of(uint32_t site) {
  switch (static_cast<Kind>(site >> 24)) {
    case RETURN: return "the kernel's end";
    case BLOCK_BARRIER: return "__syncthreads";
    case WARP_BARRIER: return "warp_sync";
    case SHUFFLE: return "a shuffle";
    case BALLOT: return "warp_ballot";
    case LOAD_MATRIX: return "load_matrix";
    case MATRIX_PRODUCT: return "mma";
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

// A kernel thread's life.
void run_thread() {
  Fiber *fiber = self();
  Processor *machine = static_cast<Processor *>(fiber->machine);
  machine->launch->kernel->run(machine->launch->params);
  if (!fiber->copies.empty()) fail("returns with asynchronous copies that it has not waited for");
  const uint32_t site = stator::site(RETURN, 0);
  if (arrive(fiber, site)) {
    if (machine->warpsWaiting != 0) fail_diverged(site);
    machine->warpsReturned++;
    const bool is_last = machine->warpsReturned == machine->warpCount;
    switch_fiber(fiber, is_last ? &machine->main : fiber->warp->next->resume);
  }
  __builtin_unreachable();
}

// Lays a fiber's first frame: it begins in run_thread.
void prepare(Fiber *fiber) {
  const uintptr_t top = (reinterpret_cast<uintptr_t>(fiber) - 64) & ~static_cast<uintptr_t>(63);
#ifdef STATOR_USES_UCONTEXT
  getcontext(&fiber->context);
  const uintptr_t base = top & ~(STACK_BYTES - 1);
  fiber->context.uc_stack.ss_sp = reinterpret_cast<void *>(base + STACK_END_BYTES);
  fiber->context.uc_stack.ss_size = top - base - STACK_END_BYTES;
  fiber->context.uc_link = nullptr;
  makecontext(&fiber->context, run_thread, 0);
#else
  uintptr_t *frame = reinterpret_cast<uintptr_t *>(top) - 8;
  for (int i = 0; i < 6; i++) frame[i] = 0;  // Callee-saved registers.
  frame[6] = reinterpret_cast<uintptr_t>(run_thread);
  frame[7] = 0;  // No return address.
  fiber->stack = frame;
#endif
}

struct Segment {
  uintptr_t code;
  uint8_t *data;
  size_t bytes;
};

// Finds the thread-local segment of the library that `code` lies in.
int find_segment(dl_phdr_info *info, size_t, void *found) {
  Segment *segment = static_cast<Segment *>(found);
  bool is_ours = false;
  size_t bytes = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) &header = info->dlpi_phdr[i];
    const uintptr_t start = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && segment->code - start < header.p_memsz) is_ours = true;
    if (header.p_type == PT_TLS) bytes = header.p_memsz;
  }
  if (!is_ours) return 0;
  segment->data = static_cast<uint8_t *>(info->dlpi_tls_data);
  segment->bytes = bytes;
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
  message[0] = 0;
  sharedRoom = static_cast<uint8_t *>(operator new(SHARED_BYTES_MAX + 2 * GUARD_BYTES, std::align_val_t(128)));
  shared = sharedRoom + GUARD_BYTES;
  *static_cast<volatile char *>(&shared_segment_marker) = 0;  // Makes the segment.
  Segment segment = {reinterpret_cast<uintptr_t>(&run_thread), nullptr, 0};
  dl_iterate_phdr(find_segment, &segment);
  staticShared = segment.data;
  staticSharedBytes = segment.data == nullptr ? 0 : segment.bytes;
}

Processor::~Processor() {
  release_stacks();
  operator delete(sharedRoom, std::align_val_t(128));
}

void Processor::release_stacks() {
  for (size_t i = 0; i < stackCount; i++) fiber_of(reinterpret_cast<uintptr_t>(stacks) + i * STACK_BYTES)->~Fiber();
  if (stackCount != 0) munmap(stacks, stackCount * STACK_BYTES);
  stackCount = 0;
}

void Processor::make_room(uint32_t threads) {
  if (threads <= stackCount) return;
  release_stacks();
  const size_t bytes = (threads + size_t{1}) * STACK_BYTES;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *room = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  const uintptr_t start = reinterpret_cast<uintptr_t>(room);
  const uintptr_t aligned = (start + STACK_BYTES - 1) & ~(STACK_BYTES - 1);
  if (aligned != start) munmap(room, aligned - start);
  const uintptr_t end = aligned + threads * STACK_BYTES;
  munmap(reinterpret_cast<void *>(end), start + bytes - end);
  stacks = reinterpret_cast<uint8_t *>(aligned);
  stackCount = threads;
  madvise(stacks, stackCount * STACK_BYTES, MADV_NOHUGEPAGE);
  for (uint32_t i = 0; i < threads; i++) {
    Fiber *fiber = new (fiber_of(aligned + i * STACK_BYTES)) Fiber();
    fiber->machine = this;
    fiber->warp = &warps[i / LANES];
    fiber->lane = i % LANES;
    fiber->thread = {i, 0, 0};
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
      prepare(fiber);
    }
    Warp &warp = warps[w];
    warp.arrived = 0;
    warp.parity = 0;
    warp.resume = lane(start);
    warp.next = &warps[(backwards ? w + warpCount - 1 : w + 1) % warpCount];
  }
}

void Processor::poison() {
  const size_t room = (launch->sharedBytes + size_t{15}) & ~size_t{15};
  memset(sharedRoom, POISON, room + 2 * GUARD_BYTES);
  if (staticSharedBytes != 0) memset(staticShared, POISON, staticSharedBytes);
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
    const uint64_t *end = reinterpret_cast<const uint64_t *>(stacks + i * STACK_BYTES);
    for (size_t j = 0; j < STACK_END_BYTES / sizeof *end; j++) {
      if (end[j] != 0) return fail("needs more stack than the emulator's %zu bytes a thread", STACK_BYTES);
    }
  }
}

bool Processor::run(const Launch &next, uint64_t block_index) {
  make_room(next.threads);
  launch = &next;
  block.x = static_cast<uint32_t>(block_index % next.grid.x);
  block.y = static_cast<uint32_t>(block_index / next.grid.x % next.grid.y);
  block.z = static_cast<uint32_t>(block_index / next.grid.x / next.grid.y);
  blockDim = {next.threads, 1, 1};
  gridDim = next.grid;
  warpCount = next.threads / LANES;
  warpsWaiting = warpsReturned = 0;
  hasFailed = false;
  poison();
  const bool backwards = block_index % 2 != 0;
  prepare_fibers(backwards);
  switch_fiber(&main, warps[backwards ? warpCount - 1 : 0].resume);
  if (!hasFailed) check_surroundings();
  if (!hasFailed) check_stacks();
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
  Processor *machine = static_cast<Processor *>(fiber->machine);
  char thread[32];
  snprintf(thread, sizeof thread, ", thread %u", fiber->thread.x);
  va_list arguments;
  va_start(arguments, format);
  machine->fail_with(thread, format, arguments);
  va_end(arguments);
  switch_fiber(fiber, &machine->main);
  __builtin_unreachable();
}

void fail_diverged(uint32_t site) {
  const Fiber *fiber = self();
  const Processor *machine = static_cast<const Processor *>(fiber->machine);
  const bool is_warps = fiber->warp->arrived != 0;
  const uint32_t waiting = is_warps                    ? fiber->warp->site
                           : machine->warpsWaiting != 0 ? machine->waitingSite
                                                        : stator::site(RETURN, 0);
  fail("comes to %s while others of its %s wait at %s", place(site).text, is_warps ? "warp" : "block",
       place(waiting).text);
}

void arrive_at_block(Fiber *last, uint32_t site) {
  Processor *machine = static_cast<Processor *>(last->machine);
  if (machine->warpsReturned != 0) fail_diverged(site);
  if (machine->warpsWaiting == 0) {
    machine->waitingSite = site;
  } else if (machine->waitingSite != site) {
    fail_diverged(site);
  }
  if (++machine->warpsWaiting == machine->warpCount) {
    machine->warpsWaiting = 0;
    return;
  }
  last->warp->resume = last;
  switch_fiber(last, last->warp->next->resume);
}

void begin_copy(Fiber *fiber, void *to, const void *from, bool is_there) {
  const Processor *machine = static_cast<const Processor *>(fiber->machine);
  if (reinterpret_cast<uintptr_t>(to) % 16 != 0 || (is_there && reinterpret_cast<uintptr_t>(from) % 16 != 0)) {
    fail("copies 16 bytes from %p to %p, which are not both aligned to 16", from, to);
  }
  if (!machine->is_shared(to)) fail("copies to %p, which is not the block's shared memory", to);
  fiber->copies.push_back({to, is_there ? from : nullptr});
}

void finish_copies(Fiber *fiber, size_t keep) {
  if (fiber->groupEnds.size() <= keep) return;
  const size_t groups = fiber->groupEnds.size() - keep;
  const size_t count = fiber->groupEnds[groups - 1];
  for (size_t i = 0; i < count; i++) {
    const Copy &copy = fiber->copies[i];
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

}  // namespace stator
