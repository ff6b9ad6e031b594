// What runs blocks: inner side of the emulator.
#ifndef STATOR_HOST_MACHINE_H
#define STATOR_HOST_MACHINE_H

#include <stdarg.h>

#include "emulator.h"

namespace stator {

constexpr uint32_t THREADS_MAX = 1024;
// What a block may ask for on Hopper, the largest of all.
constexpr uint32_t SHARED_BYTES_MAX = 227 << 10;
constexpr int POISON = 0xCD;
constexpr size_t MESSAGE_BYTES = 512;

struct Launch {
  const Kernel *kernel;
  const void *params;
  uint3 grid;
  uint32_t threads;
  uint32_t sharedBytes;
};

// One OS thread's. Threads: its own alone.
struct Processor : Machine {
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
  Fiber main;  // The OS thread's own stack.
  char message[MESSAGE_BYTES];

  uint32_t warpCount = 0;
  uint32_t warpsWaiting = 0;  // At the block's barrier.
  uint32_t warpsReturned = 0;
  uint32_t waitingSite = 0;
  bool hasFailed = false;

 private:
  void make_room(uint32_t threads);
  void release_stacks();
  void prepare_fibers(bool backwards);
  void poison();
  void check_surroundings();
  void check_stacks();

  uint8_t *stacks = nullptr;
  size_t stackCount = 0;
  uint8_t *sharedRoom = nullptr;
  uint8_t *staticShared = nullptr;  // The kernels' __shared__ arrays, which are this OS thread's thread-locals.
  size_t staticSharedBytes = 0;
  Warp warps[THREADS_MAX / LANES] = {};
};

// This OS thread's, made at its first call.
Processor &processor();

}  // namespace stator

#endif
