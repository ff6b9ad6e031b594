// A multiprocessor on one OS thread: the threads of a block are fibers that take turns.
//
// Lanes of a warp run in ring order, each until its next rendezvous; the lane that comes last does the operation for all and
// goes on first. So a rendezvous is one switch a lane and the next lane is always its neighbour. Warps take turns likewise, at
// the block's barriers. Returning from the kernel is a rendezvous too: whoever waits elsewhere meanwhile would wait for ever.
#ifndef STATOR_HOST_EMULATOR_H
#define STATOR_HOST_EMULATOR_H

#include <stdarg.h>

#include <vector>

#include "shim.h"

#if !defined(__x86_64__) || defined(STATOR_UCONTEXT)
#define STATOR_USES_UCONTEXT 1
#include <ucontext.h>
#endif

namespace stator {

constexpr uint32_t LANES = 32;
constexpr uint32_t THREADS_MAX = 1024;
// What a block may ask for on Hopper, the largest of all.
constexpr uint32_t SHARED_BYTES_MAX = 227 << 10;
constexpr uint32_t GUARD_BYTES = 256;
constexpr int POISON = 0xCD;
constexpr size_t MESSAGE_BYTES = 512;

enum Kind : uint32_t { RETURN, BLOCK_BARRIER, WARP_BARRIER, SHUFFLE, BALLOT, LOAD_MATRIX, MATRIX_PRODUCT };

// Where a thread waits: what it does there and in which line.
constexpr uint32_t site(Kind kind, int line) { return kind << 24 | static_cast<uint32_t>(line); }

struct Processor;
struct Warp;

// A copy that begin_copy began; without a source it writes zeros.
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
  Processor *processor;
  uint32_t lane;
  uint32_t thread;
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
  uint32_t barriers;          // Warp barriers so far.
  Fiber *resume;              // Whom to go on with.
  Warp *next;                 // In the block's ring.
  uint32_t values[2][LANES];  // Two: some lanes read the last operation's while others write the next one's.
  Operands operands[LANES];
};

// Bytes that kernels may use.
struct Range {
  uintptr_t start;
  uintptr_t bytes;
};

struct Launch {
  const Kernel *kernel;
  const void *params;
  uint3 grid;
  uint32_t threads;
  uint32_t sharedBytes;
  const std::vector<Range> *memory;  // Sorted; null when nobody watches.
};

// Who touched two bytes of shared memory since the block's last barrier; see watch.cpp.
struct Shadow {
  uint32_t writeEpoch;
  uint32_t writeBarriers;  // The writer's warp's, as of then.
  uint32_t readEpoch;
  uint32_t readBarriers;
  uint16_t writer;
  uint16_t reader;       // One of them.
  bool hasManyReaders;   // Of one warp.
  bool hasManyWarps;     // That read.
};

// Threads: one, which made it.
struct Processor {
  Processor();
  ~Processor();
  // Runs one block; false with a message after an error.
  bool run(const Launch &launch, uint64_t block_index);
  // Both note the error; the second is the block's as a whole.
  void fail_with(const char *thread, const char *format, va_list arguments);
  void fail(const char *format, ...) __attribute__((format(printf, 2, 3)));
  // Whether 16 bytes there are the block's shared memory.
  bool is_shared(const void *address) const;

  const Launch *launch = nullptr;
  uint3 block = {};
  Fiber main = {};  // The OS thread's own stack.
  char message[MESSAGE_BYTES] = {};

  uint32_t warpCount = 0;
  uint32_t warpsWaiting = 0;  // At the block's barrier.
  uint32_t warpsReturned = 0;
  uint32_t waitingSite = 0;
  bool hasFailed = false;

  uint8_t *shared = nullptr;        // Dynamic shared memory, between guards.
  uint8_t *staticShared = nullptr;  // The kernels' __shared__ arrays, which are this OS thread's thread-locals.
  size_t staticSharedBytes = 0;
  Range code = {};  // The library itself, with its constants.
  uint8_t *stacks = nullptr;
  size_t stacksBytes = 0;

  // For watch.cpp.
  uint32_t epoch = 0;  // Rises at each barrier of a block, and from block to block.
  std::vector<Shadow> shadow;
  std::vector<Shadow> staticShadow;
  Range recent[4] = {};  // Of the launch's memory.
  uint32_t recentNext = 0;

 private:
  void make_room(uint32_t threads);
  void release_stacks();
  void prepare_fibers(bool backwards);
  void poison();
  void check_surroundings();
  void check_stacks();

  uint8_t *sharedRoom = nullptr;
  Warp warps[THREADS_MAX / LANES] = {};
};

// This OS thread's, made at its first call.
Processor &processor();

// Stacks are aligned to their size, so that a stack pointer leads to its fiber, which lies above its stack. Neighbours lie
// 128 bytes apart modulo the page: at equal offsets they would share a few sets of the cache.
constexpr uintptr_t STACK_BYTES = 256 << 10;
constexpr uintptr_t FIBER_BYTES = 8192;
static_assert((LANES - 1) * 128 + sizeof(Fiber) <= FIBER_BYTES, "each within its own stack's part");

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
// Lays a fiber's first frame: it begins in `start`, which never returns.
void prepare_fiber(Fiber *fiber, void (*start)());
// Whether a stack may have grown beyond its end.
bool has_overflown(const uint8_t *stack);

// Ends the launch with a message that gets kernel, block and thread in front.
[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A kernel thread's end, as a rendezvous of its block.
[[noreturn]] void return_from_kernel(Fiber *fiber);

// Checks an access of a thread, and notes it where it is to shared memory.
void watch(Fiber *fiber, const void *address, uint32_t bytes, bool is_write);

}  // namespace stator

#endif
