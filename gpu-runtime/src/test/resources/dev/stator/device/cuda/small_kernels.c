/* Kernels small enough to test a driver with, behind the interface of the kernels' host build. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static char message[256];

/* For each thread of each block: to[i] = from[i] * scale + offset, for i < count. */
struct scale_params {
  const float* from;
  float* to;
  int32_t count;
  float scale;
  float offset;
};

static void scale_add(uint32_t threads_all, const struct scale_params* p) {
  for (uint32_t i = 0; i < threads_all && i < (uint32_t)p->count; i++) {
    p->to[i] = p->from[i] * p->scale + p->offset;
  }
}

/* to[i] += from[i], for i < count. */
struct add_params {
  float* to;
  const float* from;
  int32_t count;
};

static void add_f32(uint32_t threads_all, const struct add_params* p) {
  for (uint32_t i = 0; i < threads_all && i < (uint32_t)p->count; i++) p->to[i] += p->from[i];
}

/* Writes 1 to to[0 .. count), whatever the grid. */
struct write_params {
  uint8_t* to;
  int32_t count;
};

int stator_emulated_lacks(const char* kernel) {
  static const char* const names[] = {"add_f32", "scale_add", "write_ones", "fail"};
  for (int i = 0; i < 4; i++) {
    if (strcmp(kernel, names[i]) == 0) return 0;
  }
  return 1;
}

const char* stator_emulated_error(void) {
  return message;
}

int stator_emulated_launch(const char* kernel, uint32_t grid_x, uint32_t grid_y, uint32_t grid_z, uint32_t threads,
                           uint32_t shared_bytes, const void* params) {
  (void)shared_bytes;
  if (strcmp(kernel, "add_f32") == 0) {
    add_f32(grid_x * grid_y * grid_z * threads, (const struct add_params*)params);
    return 0;
  }
  if (strcmp(kernel, "scale_add") == 0) {
    scale_add(grid_x * grid_y * grid_z * threads, (const struct scale_params*)params);
    return 0;
  }
  if (strcmp(kernel, "write_ones") == 0) {
    const struct write_params* p = (const struct write_params*)params;
    memset(p->to, 1, (size_t)p->count);
    return 0;
  }
  snprintf(message, sizeof message, "%s: block 0, thread 3 is missing at a barrier", kernel);
  return 1;
}
