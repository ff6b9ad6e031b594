/*
 * A libcuda.so.1 without a GPU: as much of the CUDA driver API as Stator calls. Device memory is host memory, streams work at
 * once, and kernels are those of a library with the interface of the kernels' host build. What real drivers refuse, this one
 * refuses: freed and foreign memory, calls without a context, work that a capture cannot hold.
 *
 *   STUB_KERNELS     path of that library
 *   STUB_DEVICES     number of devices, 1
 *   STUB_CAPABILITY  compute capability, 90
 *   STUB_VERSION     of the driver, 13000
 *   STUB_FAIL        CALL=CODE: this call fails with that code; with CALL=CODE@N only the one after N good ones
 *   STUB_COUNTS      when set, the number of each call is printed at exit
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  OK = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  PEER_ACCESS_ALREADY_ENABLED = 704,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  LAUNCH_FAILED = 719,
  CAPTURE_UNSUPPORTED = 900
};

#define MEMORY_BYTES (64u << 20)
#define CALLS_MAX 64
#define RANGES_MAX 4096
#define PARAMS_MAX 512
#define HANDLE_BYTES 64
#define NAMES "/proc/"

typedef int (*launcher)(const char*, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, const void*);
typedef int (*question)(const char*);

static struct {
  const char* name;
  int count;
} calls[CALLS_MAX];

static struct {
  uintptr_t start;
  size_t bytes;
  int is_opened;           /* Another process's. */
  int file;                /* Of device memory. */
  char name[HANDLE_BYTES]; /* Of device memory, which other processes can map; host memory has none. */
} ranges[RANGES_MAX];

/* A copy, a fill or a launch. */
struct operation {
  enum { COPY, FILL, LAUNCH } kind;
  void* to;
  const void* from;
  size_t bytes;
  int value;
  const char* kernel;
  uint32_t grid_x, grid_y, threads, shared_bytes;
  uint8_t params[PARAMS_MAX];
};

struct graph {
  int count;
  int room;
  struct operation* operations;
};

struct stream {
  struct graph* captured;
};

static size_t bytes_taken;
static int contexts_retained;
static int modules_loaded;
static __thread int device_current; /* Plus 1; 0 is none. */
static launcher launch;
static question lacks;

static long setting(const char* name, long otherwise) {
  const char* text = getenv(name);
  return text ? atol(text) : otherwise;
}

static void print_counts(void) {
  for (int i = 0; i < CALLS_MAX && calls[i].name; i++) fprintf(stderr, "%s %d\n", calls[i].name, calls[i].count);
  fprintf(stderr, "left: %zu bytes, %d contexts, %d modules\n", bytes_taken, contexts_retained, modules_loaded);
}

/* Counts a call; the code it shall fail with, or OK. */
static int begin(const char* call) {
  int i = 0;
  while (calls[i].name && strcmp(calls[i].name, call) != 0) i++;
  if (i == 0 && !calls[0].name && getenv("STUB_COUNTS")) atexit(print_counts);
  calls[i].name = call;
  const int before = calls[i].count++;
  const char* fail = getenv("STUB_FAIL");
  const size_t length = strlen(call);
  if (!fail || strncmp(fail, call, length) != 0 || fail[length] != '=') return OK;
  const char* after = strchr(fail, '@');
  return !after || atoi(after + 1) == before ? atoi(fail + length + 1) : OK;
}

static pthread_mutex_t one_call = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void end(pthread_mutex_t** held) {
  pthread_mutex_unlock(*held);
}

/* One call at a time, until it returns. */
#define BEGIN                                                  \
  pthread_mutex_t* held __attribute__((cleanup(end))) = &one_call; \
  pthread_mutex_lock(held);                                    \
  do {                               \
    const int code = begin(__func__); \
    if (code != OK) return code;      \
  } while (0)
#define BEGIN_IN_CONTEXT                             \
  BEGIN;                                             \
  do {                                               \
    if (device_current == 0) return INVALID_CONTEXT; \
  } while (0)

/* All of a file, which is closed. */
static void* map(int file, size_t* bytes) {
  struct stat status;
  if (file < 0) return 0;
  void* memory = MAP_FAILED;
  if (fstat(file, &status) == 0) {
    *bytes = (size_t)status.st_size;
    memory = mmap(0, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  close(file);
  return memory == MAP_FAILED ? 0 : memory;
}

/* New memory, by a name under which others find it while this process lives and has not freed it. */
static void* map_new(size_t bytes, int* file, char* name) {
  *file = memfd_create("stub", MFD_CLOEXEC);
  if (*file < 0) return 0;
  snprintf(name, HANDLE_BYTES, NAMES "%d/fd/%d", (int)getpid(), *file);
  void* memory = ftruncate(*file, (off_t)bytes) == 0 ? map(dup(*file), &bytes) : 0;
  if (memory == 0) close(*file);
  return memory;
}

static int free_range(void) {
  int i = 0;
  while (ranges[i].start) i++;
  return i;
}

static int take(size_t bytes, uintptr_t* address, int is_device) {
  if (bytes == 0) return INVALID_VALUE;
  if (bytes > MEMORY_BYTES - bytes_taken) return OUT_OF_MEMORY;
  const int i = free_range();
  memset(ranges[i].name, 0, HANDLE_BYTES);
  if (is_device) {
    *address = (uintptr_t)map_new(bytes, &ranges[i].file, ranges[i].name);
    if (*address == 0) return OUT_OF_MEMORY;
  } else {
    *address = (uintptr_t)aligned_alloc(256, (bytes + 255) & ~(size_t)255);
  }
  ranges[i].start = *address;
  ranges[i].bytes = bytes;
  ranges[i].is_opened = 0;
  memset((void*)*address, 0xFF, bytes);
  bytes_taken += bytes;
  return OK;
}

static int give_back(uintptr_t address, int is_device) {
  for (int i = 0; i < RANGES_MAX; i++) {
    if (ranges[i].start != address || address == 0 || ranges[i].is_opened) continue;
    if (is_device != (ranges[i].name[0] != 0)) return INVALID_VALUE;
    if (is_device) {
      munmap((void*)address, ranges[i].bytes);
      close(ranges[i].file);
    } else {
      free((void*)address);
    }
    bytes_taken -= ranges[i].bytes;
    ranges[i].start = 0;
    return OK;
  }
  return INVALID_VALUE;
}

/* Negative where nothing is. */
static int range_at(uintptr_t address) {
  for (int i = 0; i < RANGES_MAX; i++) {
    const uintptr_t start = ranges[i].start;
    if (start && address >= start && address < start + ranges[i].bytes) return i;
  }
  return -1;
}

static int is_taken(uintptr_t address, size_t bytes) {
  for (int i = 0; i < RANGES_MAX; i++) {
    const uintptr_t start = ranges[i].start;
    if (start && address >= start && address + bytes <= start + ranges[i].bytes) return 1;
  }
  return 0;
}

static int execute(const struct operation* o) {
  switch (o->kind) {
    case COPY: memmove(o->to, o->from, o->bytes); return OK;
    case FILL: memset(o->to, o->value, o->bytes); return OK;
    default:
      return launch(o->kernel, o->grid_x, o->grid_y, 1, o->threads, o->shared_bytes, o->params) ? LAUNCH_FAILED : OK;
  }
}

static void append(struct graph* graph, const struct operation* operation) {
  if (graph->count == graph->room) {
    graph->room = graph->room ? 2 * graph->room : 16;
    graph->operations = realloc(graph->operations, (size_t)graph->room * sizeof *graph->operations);
  }
  graph->operations[graph->count++] = *operation;
}

static void free_graph(struct graph* graph) {
  free(graph->operations);
  free(graph);
}

static int give(struct stream* stream, const struct operation* operation) {
  if (!stream) return INVALID_HANDLE;
  if (!stream->captured) return execute(operation);
  append(stream->captured, operation);
  return OK;
}

/* As CUDA_MEMCPY2D. */
struct rows {
  size_t from_x, from_y;
  int from_type; /* 1: host, 2: device */
  const void* from_host;
  uintptr_t from_device;
  void* from_array;
  size_t from_pitch;
  size_t to_x, to_y;
  int to_type;
  void* to_host;
  uintptr_t to_device;
  void* to_array;
  size_t to_pitch, width, height;
};

static int copy(void* to, const void* from, size_t bytes, int to_device, int from_device, struct stream* stream) {
  if (to_device && !is_taken((uintptr_t)to, bytes)) return INVALID_VALUE;
  if (from_device && !is_taken((uintptr_t)from, bytes)) return INVALID_VALUE;
  const struct operation operation = {.kind = COPY, .to = to, .from = from, .bytes = bytes};
  return give(stream, &operation);
}

/* ---- Devices, contexts ---- */

int cuInit(unsigned flags) {
  BEGIN;
  if (flags != 0) return INVALID_VALUE;
  if (setting("STUB_DEVICES", 1) == 0) return NO_DEVICE;
  const char* path = getenv("STUB_KERNELS");
  if (!path) return OK;
  void* library = dlopen(path, RTLD_NOW);
  if (!library) return INVALID_VALUE;
  launch = (launcher)dlsym(library, "stator_emulated_launch");
  lacks = (question)dlsym(library, "stator_emulated_lacks");
  return OK;
}

int cuDriverGetVersion(int* version) {
  BEGIN;
  *version = (int)setting("STUB_VERSION", 13000);
  return OK;
}

int cuDeviceGetCount(int* count) {
  BEGIN;
  *count = (int)setting("STUB_DEVICES", 1);
  return OK;
}

int cuDeviceGet(int* device, int ordinal) {
  BEGIN;
  if (ordinal < 0 || ordinal >= setting("STUB_DEVICES", 1)) return INVALID_DEVICE;
  *device = ordinal;
  return OK;
}

int cuDeviceGetName(char* name, int length, int device) {
  BEGIN;
  snprintf(name, (size_t)length, "Stub GPU %d", device);
  return OK;
}

int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  (void)device;
  BEGIN;
  *bytes = MEMORY_BYTES;
  return OK;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
  (void)device;
  BEGIN;
  const int capability = (int)setting("STUB_CAPABILITY", 90);
  switch (attribute) {
    case 16: *value = 7; return OK;               /* multiprocessors */
    case 75: *value = capability / 10; return OK; /* compute capability, major */
    case 76: *value = capability % 10; return OK; /* minor */
    case 97: *value = 227 << 10; return OK;       /* shared memory of a block, when asked for */
    default: return INVALID_VALUE;
  }
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
  BEGIN;
  contexts_retained++;
  *context = (void*)(intptr_t)(device + 1);
  return OK;
}

int cuDevicePrimaryCtxRelease_v2(int device) {
  (void)device;
  BEGIN;
  if (contexts_retained == 0) return INVALID_CONTEXT;
  contexts_retained--;
  return OK;
}

int cuCtxSetCurrent(void* context) {
  BEGIN;
  device_current = (int)(intptr_t)context;
  return OK;
}

int cuDeviceCanAccessPeer(int* can, int device, int peer) {
  BEGIN;
  *can = device != peer;
  return OK;
}

int cuCtxEnablePeerAccess(void* context, unsigned flags) {
  BEGIN_IN_CONTEXT;
  if (flags != 0 || (intptr_t)context == device_current) return INVALID_VALUE;
  static unsigned char enabled[16][16];
  const int from = device_current & 15, to = (int)(intptr_t)context & 15;
  if (enabled[from][to]++) return PEER_ACCESS_ALREADY_ENABLED;
  return OK;
}

/* ---- Modules ---- */

int cuModuleLoadDataEx(void** module, const void* image, unsigned options, int* names, void** values) {
  (void)options, (void)names, (void)values;
  BEGIN_IN_CONTEXT;
  const int is_fatbin = memcmp(image, "\x50\xED\x55\xBA", 4) == 0;
  if ((uintptr_t)image % 8 != 0 || (!is_fatbin && memcmp(image, "stub", 4) != 0)) return INVALID_IMAGE;
  modules_loaded++;
  *module = (void*)(intptr_t)modules_loaded;
  return OK;
}

int cuModuleUnload(void* module) {
  (void)module;
  BEGIN_IN_CONTEXT;
  modules_loaded--;
  return OK;
}

int cuModuleGetFunction(void** function, void* module, const char* name) {
  (void)module;
  BEGIN_IN_CONTEXT;
  if (!lacks || lacks(name)) return NOT_FOUND;
  *function = strdup(name);
  return OK;
}

int cuFuncGetAttribute(int* value, int attribute, void* function) {
  (void)function;
  BEGIN_IN_CONTEXT;
  if (attribute != 1) return INVALID_VALUE; /* static shared memory, in bytes */
  *value = 1024;
  return OK;
}

int cuFuncSetAttribute(void* function, int attribute, int value) {
  (void)function;
  BEGIN_IN_CONTEXT;
  return attribute == 8 && value <= (227 << 10) - 1024 ? OK : INVALID_VALUE; /* dynamic shared memory, in bytes */
}

/* ---- Memory ---- */

int cuMemGetInfo_v2(size_t* free_bytes, size_t* all_bytes) {
  BEGIN_IN_CONTEXT;
  *free_bytes = MEMORY_BYTES - bytes_taken;
  *all_bytes = MEMORY_BYTES;
  return OK;
}

int cuMemAlloc_v2(uintptr_t* address, size_t bytes) {
  BEGIN_IN_CONTEXT;
  return take(bytes, address, 1);
}

int cuMemFree_v2(uintptr_t address) {
  BEGIN_IN_CONTEXT;
  return give_back(address, 1);
}

int cuMemHostAlloc(void** address, size_t bytes, unsigned flags) {
  (void)flags;
  BEGIN_IN_CONTEXT;
  return take(bytes, (uintptr_t*)address, 0);
}

int cuMemFreeHost(void* address) {
  BEGIN_IN_CONTEXT;
  return give_back((uintptr_t)address, 0);
}

int cuMemGetAddressRange_v2(uintptr_t* start, size_t* bytes, uintptr_t address) {
  BEGIN_IN_CONTEXT;
  const int i = range_at(address);
  if (i < 0 || !ranges[i].name[0]) return NOT_FOUND;
  *start = ranges[i].start;
  *bytes = ranges[i].bytes;
  return OK;
}

/* As CUipcMemHandle. */
struct handle {
  char name[HANDLE_BYTES];
};

int cuIpcGetMemHandle(struct handle* handle, uintptr_t address) {
  BEGIN_IN_CONTEXT;
  const int i = range_at(address);
  if (i < 0 || ranges[i].start != address || ranges[i].is_opened) return INVALID_VALUE;
  memcpy(handle->name, ranges[i].name, HANDLE_BYTES);
  return OK;
}

int cuIpcOpenMemHandle_v2(uintptr_t* address, struct handle handle, unsigned flags) {
  BEGIN_IN_CONTEXT;
  if (flags != 1 || strnlen(handle.name, HANDLE_BYTES) == HANDLE_BYTES) return INVALID_VALUE;
  char own[HANDLE_BYTES];
  snprintf(own, HANDLE_BYTES, NAMES "%d/", (int)getpid());
  if (strncmp(handle.name, NAMES, strlen(NAMES)) != 0) return INVALID_VALUE;
  if (strncmp(handle.name, own, strlen(own)) == 0) return INVALID_CONTEXT;
  const int i = free_range();
  ranges[i].start = *address = (uintptr_t)map(open(handle.name, O_RDWR), &ranges[i].bytes);
  if (*address == 0) return INVALID_HANDLE;
  ranges[i].is_opened = 1;
  memcpy(ranges[i].name, handle.name, HANDLE_BYTES);
  return OK;
}

int cuIpcCloseMemHandle(uintptr_t address) {
  BEGIN_IN_CONTEXT;
  const int i = range_at(address);
  if (i < 0 || !ranges[i].is_opened || ranges[i].start != address) return INVALID_VALUE;
  munmap((void*)address, ranges[i].bytes);
  ranges[i].start = 0;
  return OK;
}

int cuMemcpyHtoDAsync_v2(uintptr_t to, const void* from, size_t bytes, struct stream* stream) {
  BEGIN_IN_CONTEXT;
  return copy((void*)to, from, bytes, 1, 0, stream);
}

int cuMemcpyDtoHAsync_v2(void* to, uintptr_t from, size_t bytes, struct stream* stream) {
  BEGIN_IN_CONTEXT;
  return copy(to, (const void*)from, bytes, 0, 1, stream);
}

int cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, struct stream* stream) {
  BEGIN_IN_CONTEXT;
  return copy((void*)to, (const void*)from, bytes, 1, 1, stream);
}

int cuMemcpyPeerAsync(uintptr_t to, void* to_context, uintptr_t from, void* from_context, size_t bytes, struct stream* stream) {
  BEGIN_IN_CONTEXT;
  if (!to_context || (intptr_t)from_context != device_current) return INVALID_CONTEXT;
  return copy((void*)to, (const void*)from, bytes, 1, 1, stream);
}

int cuMemcpy2DAsync_v2(const struct rows* rows, struct stream* stream) {
  BEGIN_IN_CONTEXT;
  const int to_device = rows->to_type == 2, from_device = rows->from_type == 2;
  if (rows->to_pitch < rows->width || rows->from_pitch < rows->width) return INVALID_VALUE;
  for (size_t i = 0; i < rows->height; i++) {
    char* to = (to_device ? (char*)rows->to_device : (char*)rows->to_host) + i * rows->to_pitch;
    const char* from = (from_device ? (char*)rows->from_device : (char*)rows->from_host) + i * rows->from_pitch;
    const int code = copy(to, from, rows->width, to_device, from_device, stream);
    if (code != OK) return code;
  }
  return OK;
}

int cuMemsetD8Async(uintptr_t to, uint8_t value, size_t bytes, struct stream* stream) {
  BEGIN_IN_CONTEXT;
  if (!is_taken(to, bytes)) return INVALID_VALUE;
  const struct operation operation = {.kind = FILL, .to = (void*)to, .value = value, .bytes = bytes};
  return give(stream, &operation);
}

/* ---- Streams, events, graphs, launches ---- */

int cuStreamCreate(struct stream** stream, unsigned flags) {
  BEGIN_IN_CONTEXT;
  if (flags != 1) return INVALID_VALUE; /* not with the default stream */
  *stream = calloc(1, sizeof **stream);
  return OK;
}

int cuStreamDestroy_v2(struct stream* stream) {
  BEGIN_IN_CONTEXT;
  free(stream);
  return OK;
}

int cuStreamSynchronize(struct stream* stream) {
  BEGIN_IN_CONTEXT;
  return stream->captured ? CAPTURE_UNSUPPORTED : OK;
}

int cuStreamWaitEvent(struct stream* stream, void* event, unsigned flags) {
  BEGIN_IN_CONTEXT;
  return stream && event && flags == 0 ? OK : INVALID_HANDLE;
}

int cuEventCreate(void** event, unsigned flags) {
  BEGIN_IN_CONTEXT;
  if (flags != 2) return INVALID_VALUE; /* no timing */
  *event = malloc(1);
  return OK;
}

int cuEventRecord(void* event, struct stream* stream) {
  BEGIN_IN_CONTEXT;
  return event && stream ? OK : INVALID_HANDLE;
}

int cuEventSynchronize(void* event) {
  BEGIN_IN_CONTEXT;
  return event ? OK : INVALID_HANDLE;
}

int cuEventDestroy_v2(void* event) {
  BEGIN_IN_CONTEXT;
  free(event);
  return OK;
}

int cuStreamBeginCapture_v2(struct stream* stream, int mode) {
  BEGIN_IN_CONTEXT;
  if (mode != 1 || stream->captured) return INVALID_VALUE; /* of this thread's calls */
  stream->captured = calloc(1, sizeof *stream->captured);
  return OK;
}

int cuStreamEndCapture(struct stream* stream, struct graph** graph) {
  BEGIN_IN_CONTEXT;
  if (!stream->captured) return INVALID_VALUE;
  *graph = stream->captured;
  stream->captured = 0;
  return OK;
}

int cuGraphInstantiateWithFlags(struct graph** executable, const struct graph* graph, unsigned long long flags) {
  (void)flags;
  BEGIN_IN_CONTEXT;
  *executable = calloc(1, sizeof *graph);
  for (int i = 0; i < graph->count; i++) append(*executable, &graph->operations[i]);
  return OK;
}

int cuGraphDestroy(struct graph* graph) {
  BEGIN_IN_CONTEXT;
  free_graph(graph);
  return OK;
}

int cuGraphExecDestroy(struct graph* graph) {
  BEGIN_IN_CONTEXT;
  free_graph(graph);
  return OK;
}

int cuGraphLaunch(const struct graph* graph, struct stream* stream) {
  BEGIN_IN_CONTEXT;
  for (int i = 0; i < graph->count; i++) {
    const int code = give(stream, &graph->operations[i]);
    if (code != OK) return code;
  }
  return OK;
}

int cuLaunchKernel(const char* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned threads, unsigned threads_y,
                   unsigned threads_z, unsigned shared_bytes, struct stream* stream, void** params, void** extra) {
  BEGIN_IN_CONTEXT;
  if (grid_z != 1 || threads_y != 1 || threads_z != 1 || threads > 1024 || params) return INVALID_VALUE;
  if ((intptr_t)extra[0] != 1 || (intptr_t)extra[2] != 2 || extra[4]) return INVALID_VALUE;
  const size_t bytes = *(const size_t*)extra[3];
  if (bytes > PARAMS_MAX) return INVALID_VALUE;
  struct operation operation = {.kind = LAUNCH,
                                .kernel = function,
                                .grid_x = grid_x,
                                .grid_y = grid_y,
                                .threads = threads,
                                .shared_bytes = shared_bytes};
  memcpy(operation.params, extra[1], bytes);
  return give(stream, &operation);
}
