// The emulated device as its users see it: kernels by name, blocks on a few OS threads.
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "emulator.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace stator {

namespace {

constexpr int OS_THREADS_DEFAULT = 2;
constexpr int OS_THREADS_MAX = 64;

Kernel *first_kernel = nullptr;

const Kernel *find(const char *name) {
  for (const Kernel *kernel = first_kernel; kernel != nullptr; kernel = kernel->next) {
    if (strcmp(kernel->name, name) == 0) return kernel;
  }
  return nullptr;
}

// What kernels may use; each launch sees what was there when it began.
class DeviceMemory {
 public:
  using Ranges = std::vector<Range>;

  std::shared_ptr<const Ranges> snapshot() {
    const std::lock_guard<std::mutex> lock(mutex);
    return ranges;
  }

  void change(Range range, bool is_there) {
    const std::lock_guard<std::mutex> lock(mutex);
    auto changed = ranges == nullptr ? std::make_shared<Ranges>() : std::make_shared<Ranges>(*ranges);
    const auto at = std::lower_bound(changed->begin(), changed->end(), range,
                                     [](const Range &a, const Range &b) { return a.start < b.start; });
    const bool was_there = at != changed->end() && at->start == range.start;
    if (is_there && !was_there) changed->insert(at, range);
    if (!is_there && was_there) changed->erase(at);
    ranges = changed;
  }

 private:
  std::mutex mutex;
  std::shared_ptr<const Ranges> ranges;  // Null until there is the first.
};

DeviceMemory &device_memory() {
  static DeviceMemory *const memory = new DeviceMemory();
  return *memory;
}

// Blocks of one launch, taken in order by whoever is free.
struct Work {
  const Launch *launch;
  uint64_t blockCount;
  std::atomic<uint64_t> next{0};
  std::atomic<bool> hasFailed{false};
  std::mutex mutex;
  char message[MESSAGE_BYTES] = {};

  void run() {
    while (!hasFailed.load(std::memory_order_relaxed)) {
      const uint64_t block = next.fetch_add(1, std::memory_order_relaxed);
      if (block >= blockCount) return;
      Processor &mine = processor();
      if (mine.run(*launch, block)) continue;
      const std::lock_guard<std::mutex> lock(mutex);
      if (!hasFailed.exchange(true)) memcpy(message, mine.message, sizeof message);
    }
  }
};

// OS threads that help one launch at a time; another launch meanwhile runs on its caller alone. They live as long as the
// process: the object is never destroyed.
class Helpers {
 public:
  static Helpers &instance() {
    static Helpers *const helpers = new Helpers();
    return *helpers;
  }

  void run(Work &work) {
    const std::unique_lock<std::mutex> turn(busy, std::try_to_lock);
    if (!turn.owns_lock() || count == 0 || work.blockCount == 1) return work.run();
    {
      const std::lock_guard<std::mutex> lock(mutex);
      current = &work;
      wanted = static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(count), work.blockCount - 1));
    }
    wake.notify_all();
    work.run();
    std::unique_lock<std::mutex> lock(mutex);
    wanted = 0;
    idle.wait(lock, [this] { return working == 0; });
    current = nullptr;
  }

 private:
  Helpers() {
    const char *text = getenv("STATOR_EMULATED_THREADS");
    const int threads = text == nullptr ? OS_THREADS_DEFAULT : std::clamp(atoi(text), 1, OS_THREADS_MAX);
    for (count = 0; count < threads - 1; count++) std::thread([this] { serve(); }).detach();
  }

  [[noreturn]] void serve() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return wanted > 0; });
      wanted--;
      working++;
      Work *work = current;
      lock.unlock();
      work->run();
      lock.lock();
      if (--working == 0) idle.notify_one();
    }
  }

  std::mutex busy;  // Held for a launch.
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable idle;
  Work *current = nullptr;
  int count;
  int wanted = 0;
  int working = 0;
};

int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
int refuse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(processor().message, MESSAGE_BYTES, format, arguments);
  va_end(arguments);
  return 1;
}

// A device's own limits, and whole warps, which every kernel here has.
int check(const Launch &launch) {
  const char *name = launch.kernel->name;
  const uint3 grid = launch.grid;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > INT32_MAX || grid.y > 65535 || grid.z > 65535) {
    return refuse("kernel %s: no grid is (%u, %u, %u)", name, grid.x, grid.y, grid.z);
  }
  if (launch.threads == 0 || launch.threads % LANES != 0 || launch.threads > launch.kernel->threadsMax) {
    return refuse("kernel %s: %u threads a block, expected a multiple of %u up to %u", name, launch.threads, LANES,
                  launch.kernel->threadsMax);
  }
  if (launch.sharedBytes > SHARED_BYTES_MAX) {
    return refuse("kernel %s: %u bytes of shared memory, at most %u", name, launch.sharedBytes, SHARED_BYTES_MAX);
  }
  return 0;
}

}  // namespace

Registration::Registration(Kernel *kernel) {
  if (find(kernel->name) != nullptr || kernel->threadsMax > THREADS_MAX) {
    fprintf(stderr, "kernel %s: there are two of them, or it has more than %u threads\n", kernel->name, THREADS_MAX);
    abort();
  }
  kernel->next = first_kernel;
  first_kernel = kernel;
}

}  // namespace stator

// Runs a kernel to its end; 0, or 1 and stator_emulated_error() says why. `params` is the kernel's struct.
// Threads: any, several at a time.
EXPORT int stator_emulated_launch(const char *name, uint32_t grid_x, uint32_t grid_y, uint32_t grid_z, uint32_t threads,
                                  uint32_t shared_bytes, const void *params) {
  const stator::Kernel *kernel = stator::find(name);
  if (kernel == nullptr) return stator::refuse("there is no kernel %s", name);
  std::vector<uint64_t> copy((kernel->paramsBytes + 7) / 8);
  memcpy(copy.data(), params, kernel->paramsBytes);
  const std::shared_ptr<const std::vector<stator::Range>> memory = stator::device_memory().snapshot();
  const stator::Launch launch = {kernel, copy.data(), {grid_x, grid_y, grid_z}, threads, shared_bytes, memory.get()};
  if (stator::check(launch) != 0) return 1;
  stator::Work work = {};
  work.launch = &launch;
  work.blockCount = static_cast<uint64_t>(grid_x) * grid_y * grid_z;
  stator::Helpers::instance().run(work);
  if (!work.hasFailed) return 0;
  return stator::refuse("%s", std::string(work.message).c_str());
}

// Kernels may use these bytes from now on, or, with 0, no longer. Until the first call they may use all memory.
EXPORT void stator_emulated_memory(const void *address, uint64_t bytes, int is_there) {
  stator::device_memory().change({reinterpret_cast<uintptr_t>(address), bytes}, is_there != 0);
}

// What the last launch of this OS thread that failed says; valid until the next one.
EXPORT const char *stator_emulated_error(void) { return stator::processor().message; }

// Size of a kernel's struct, -1 if there is no such kernel.
EXPORT int stator_emulated_params_bytes(const char *name) {
  const stator::Kernel *kernel = stator::find(name);
  return kernel == nullptr ? -1 : static_cast<int>(kernel->paramsBytes);
}

// 0 if there is a kernel of that name.
EXPORT int stator_emulated_lacks(const char *name) { return stator::find(name) == nullptr; }

// All kernels' names, each ended by a line feed.
EXPORT const char *stator_emulated_kernels(void) {
  static const std::string *const names = [] {
    std::string *list = new std::string();
    for (const stator::Kernel *kernel = stator::first_kernel; kernel != nullptr; kernel = kernel->next) {
      *list += std::string(kernel->name) + "\n";
    }
    return list;
  }();
  return names->c_str();
}
