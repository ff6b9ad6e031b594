// Operations on single values, one a thread.
#include "stator.h"

KERNEL(add_f32, 256, AddParams) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < p.count) p.to[i] += p.from[i];
}
