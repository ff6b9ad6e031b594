// A multiprocessor on one OS thread: the threads of a block are fibers that take turns.
//
// Lanes of a warp run in ring order, each until its next rendezvous; the lane that comes last does the operation for all and
// goes on first. So a rendezvous is one switch a lane and the next lane is always its neighbour. Warps take turns likewise, at
// barriers of the block or of some of its warps. Returning from the kernel is a rendezvous too: whoever waits elsewhere
// meanwhile would wait for ever.
#ifndef STATOR_HOST_EMULATOR_H
#define STATOR_HOST_EMULATOR_H

#include <stdarg.h>

#include <deque>
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

enum Kind : uint32_t {
  RETURN,
  BLOCK_BARRIER,
  GROUP_BARRIER,
  WARP_BARRIER,
  SHUFFLE,
  BALLOT,
  LOAD_MATRIX,
  MATRIX_PRODUCT,
  MBARRIER_WAIT,
  WGMMA_FENCE,
  WGMMA,
  WGMMA_COMMIT,
  WGMMA_WAIT,
};

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
  uint32_t index;             // In the block.
  bool isWaiting;             // At a barrier of several warps, or for ever, having returned.
  bool isFenced;              // Its registers, since the last group of wgmma.
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

constexpr uint32_t WARPS_MAX = THREADS_MAX / LANES;
constexpr uint32_t GROUP_BARRIERS = 16;

// A barrier of some warps.
struct GroupBarrier {
  uint32_t expected;  // Warps.
  uint32_t site;
  uint32_t arrived;   // A bit a warp.
};

struct BulkCopy {
  void *to;
  const void *from;
  uint32_t bytes;
};

// A barrier that counts arrivals and bytes. A phase ends at the last moment: when its end is waited for, or when the next
// one's first comes. Then its copies are done.
struct MBarrier {
  const void *place;
  uint32_t arrivals;  // Of a phase.
  uint32_t left;      // Of them, to come.
  int64_t bytes;      // Announced, less those whose copies have begun.
  uint32_t phases;    // That are over.
  uint32_t madeBy;    // A thread, and its warp's clock then.
  uint32_t madeAt;
  bool isFenced;
  uint32_t arrived[WARPS_MAX];  // Clocks that those who arrived knew, of this phase
  uint32_t ended[WARPS_MAX];    // and of the one before.
  std::vector<BulkCopy> copies;
};

constexpr uint32_t GROUP_WARPS = 4;
constexpr uint32_t GROUP_LANES = GROUP_WARPS * LANES;

// A matrix instruction of a warpgroup, and what each thread gave to it.
struct Wgmma {
  uint64_t descriptor;
  uint32_t tokens;
  struct {
    float *d;
    const uint32_t *a;
    uint32_t aThen[4];
  } threads[GROUP_LANES];
};

// Four warps, and their instructions that have not been waited for. They are done when they are waited for; until then the
// threads' accumulators are poison.
struct Warpgroup {
  uint32_t arrived;  // Warps, a bit each, at `site`.
  uint32_t site;
  Wgmma next;
  std::vector<Wgmma> begun;
  std::vector<size_t> groupEnds;          // In begun.
  std::vector<std::vector<float>> sums;   // Of a set of accumulators in flight, [thread][value].
  std::vector<const float *> sumsOf;      // Thread 0's.

  void reset() {
    arrived = 0;
    begun.clear();
    groupEnds.clear();
    sums.clear();
    sumsOf.clear();
  }
};

// Which barriers order what the warps do. A warp's clock counts the barriers that it has passed; known[v] is that of warp v
// when the two last had one in common, be it through others: what v did before then is ordered before what comes now.
struct Clocks {
  uint32_t own[WARPS_MAX];
  uint32_t known[WARPS_MAX][WARPS_MAX];

  // All lanes of the warps whose bits are set have met.
  void meet(uint32_t warps);
};

// Who touched two bytes of shared memory last; see watch.cpp. Clocks are those of the time.
struct Shadow {
  uint32_t writeClock;
  uint16_t writer;  // A thread.
  uint32_t readers;  // Warps that read since, a bit each.
  uint32_t readClock[WARPS_MAX];
  uint8_t readLane[WARPS_MAX];  // One of them, or MANY_LANES.
};
constexpr uint8_t MANY_LANES = 0xFF;

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
  uint32_t warpsWaiting = 0;  // At the block's own barrier.
  uint32_t warpsReturned = 0;
  uint32_t waitingSite = 0;
  GroupBarrier groupBarriers[GROUP_BARRIERS] = {};
  std::deque<MBarrier> mbarriers;
  std::vector<Warpgroup> warpgroups = std::vector<Warpgroup>(WARPS_MAX / GROUP_WARPS);
  Warp warps[WARPS_MAX] = {};
  bool hasFailed = false;

  uint8_t *shared = nullptr;        // Dynamic shared memory, between guards.
  uint8_t *staticShared = nullptr;  // The kernels' __shared__ arrays, which are this OS thread's thread-locals.
  size_t staticSharedBytes = 0;
  Range code = {};  // The library itself, with its constants.
  uint8_t *stacks = nullptr;
  size_t stacksBytes = 0;

  // For watch.cpp.
  Clocks clocks = {};
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
  void check_mbarriers();

  uint8_t *sharedRoom = nullptr;
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

// A lane's arrival at a rendezvous of its warp. True in the lane that comes last: it does what is to be done before it goes on.
bool arrive(Fiber *fiber, uint32_t site);

// A whole warp waits, or has returned: others go on, until somebody lets this one.
void wait(Fiber *last);

// Ends the launch: a lane, or a warp, comes elsewhere than those that wait.
[[noreturn]] void fail_diverged(uint32_t site);

// A kernel thread's end, as a rendezvous of its block.
[[noreturn]] void return_from_kernel(Fiber *fiber);

// Checks an access of a thread, and notes it where it is to shared memory.
void watch(Fiber *fiber, const void *address, uint32_t bytes, bool is_write);

}  // namespace stator

#endif
