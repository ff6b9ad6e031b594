// A multiprocessor on one OS thread: the threads of a block are fibers that take turns.
//
// Lanes of a warp run in ring order, each until its next rendezvous; the lane that comes last does the operation for all and
// goes on first. So a rendezvous is one switch a lane and the next lane is always its neighbour. Warps take turns likewise, at
// the block's barriers. Returning from the kernel is a rendezvous too: whoever waits elsewhere meanwhile would wait for ever.
#ifndef STATOR_HOST_EMULATOR_H
#define STATOR_HOST_EMULATOR_H

#include <stddef.h>
#include <stdint.h>

#include <vector>

#if !defined(__x86_64__) || defined(STATOR_UCONTEXT)
#define STATOR_USES_UCONTEXT 1
#include <ucontext.h>
#endif

struct uint3 {
  uint32_t x, y, z;
};

namespace stator {

constexpr int LANES = 32;

enum Kind : uint32_t { RETURN, BLOCK_BARRIER, WARP_BARRIER, SHUFFLE, BALLOT, LOAD_MATRIX, MATRIX_PRODUCT };

// Where a thread waits: what it does there and in which line.
constexpr uint32_t site(Kind kind, int line) { return kind << 24 | static_cast<uint32_t>(line); }

struct Machine;
struct Warp;

// A copy that async_copy16 began; without a source it writes zeros.
struct Copy {
  void *to;
  const void *from;
};

struct Fiber {
#ifdef STATOR_USES_UCONTEXT
  ucontext_t context;
#else
  void *stack;  // Its stack pointer while another runs.
#endif
  Fiber *next;  // In its warp's ring.
  Warp *warp;
  Machine *machine;
  uint32_t lane;
  uint3 thread;
  std::vector<Copy> copies;       // Begun, not yet waited for.
  std::vector<size_t> groupEnds;  // In copies.
};

// One lane's part of an operation; it lies on the stack of a fiber that waits.
struct Operands {
  void *to;
  const void *a;
  const void *b;
};

struct Warp {
  uint32_t arrived;  // Lanes at `site`.
  uint32_t site;
  uint32_t parity;            // Which of `values` the next operation uses.
  Fiber *resume;              // Whom to go on with.
  Warp *next;                 // In the block's ring.
  uint32_t values[2][LANES];  // Two: some lanes read the last operation's while others write the next one's.
  Operands operands[LANES];
};

// A block's surroundings, for its threads.
struct Machine {
  uint3 block;
  uint3 blockDim;
  uint3 gridDim;
  uint8_t *shared;  // Dynamic shared memory.
};

// Stacks are aligned to their size, so that a stack pointer leads to its fiber, which lies above its stack. Neighbours lie
// 128 bytes apart modulo the page: at equal offsets they would share a few sets of the cache.
constexpr uintptr_t STACK_BYTES = 256 << 10;
constexpr uintptr_t FIBER_BYTES = 8192;

inline Fiber *fiber_of(uintptr_t stack_pointer) {
  const uintptr_t base = stack_pointer & ~(STACK_BYTES - 1);
  return reinterpret_cast<Fiber *>(base + STACK_BYTES - FIBER_BYTES + base / STACK_BYTES % LANES * 128);
}

// The fiber that runs.
inline Fiber *self() {
#ifdef __x86_64__
  uintptr_t pointer;
  asm("movq %%rsp, %0" : "=r"(pointer));
  return fiber_of(pointer);
#else
  return fiber_of(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
#endif
}

#ifdef STATOR_USES_UCONTEXT
inline void switch_fiber(Fiber *from, Fiber *to) { swapcontext(&from->context, &to->context); }
#else
extern "C" void stator_switch(void **save, void *load);
inline void switch_fiber(Fiber *from, Fiber *to) { stator_switch(&from->stack, to->stack); }
#endif

// Ends the launch with a message that gets kernel, block and thread in front.
[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
[[noreturn]] void fail_diverged(uint32_t site);

// True in the lane that comes last: it does what is to be done before it goes on.
inline bool arrive(Fiber *fiber, uint32_t site) {
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

// A whole warp has come to a barrier of the block.
void arrive_at_block(Fiber *last, uint32_t site);

void multiply_matrices(Warp *warp);
void load_matrices(Warp *warp, int count, bool is_transposed);
// Does a fiber's copies, but those of the last `keep` groups.
void finish_copies(Fiber *fiber, size_t keep);
void begin_copy(Fiber *fiber, void *shared, const void *global, bool is_there);

// What a kernel's registration says; `run` runs one thread.
struct Kernel {
  const char *name;
  uint32_t threadsMax;
  uint32_t paramsBytes;
  void (*run)(const void *params);
  Kernel *next;
};

struct Registration {
  explicit Registration(Kernel *kernel);
};

}  // namespace stator

#endif
