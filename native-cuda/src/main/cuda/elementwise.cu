// Operations on single values, four a thread; any grid will do.
#include "float_math.h"
#include "quads.h"

constexpr int ELEMENT_THREADS = 256;

// This thread's first quad, and how far it is to its next one.
DEVICE int first_quad() { return blockIdx.x * blockDim.x + threadIdx.x; }
DEVICE int quad_step() { return gridDim.x * blockDim.x; }
DEVICE int quad_count(int64_t values) { return static_cast<int>((values + 3) / 4); }

KERNEL(add_f32, ELEMENT_THREADS, AddParams) {
  const bool is_aligned = is_aligned16(p.to) && is_aligned16(p.from);
  for (int quad = first_quad(); quad < quad_count(p.count); quad += quad_step()) {
    Quad value = load_quad(p.to, quad, p.count, is_aligned);
    const Quad from = load_quad(p.from, quad, p.count, is_aligned);
#pragma unroll
    for (int i = 0; i < 4; i++) value.v[i] += from.v[i];
    store_quad(p.to, quad, p.count, is_aligned, value);
  }
}

KERNEL(sum_parts, ELEMENT_THREADS, SumPartsParams) {
  const bool is_aligned = is_aligned16(p.to) && is_aligned16(p.parts) && p.stride % 4 == 0;
  for (int quad = first_quad(); quad < quad_count(p.count); quad += quad_step()) {
    Quad sum = load_quad(p.parts, quad, p.count, is_aligned);
    for (int part = 1; part < p.partCount; part++) {
      const float *from = p.parts + static_cast<int64_t>(part) * p.stride;
      const Quad value = load_quad(from, quad, p.count, is_aligned);
#pragma unroll
      for (int i = 0; i < 4; i++) sum.v[i] += value.v[i];
    }
    if (p.adds) {
      const Quad to = load_quad(p.to, quad, p.count, is_aligned);
#pragma unroll
      for (int i = 0; i < 4; i++) sum.v[i] = to.v[i] + sum.v[i];
    }
    store_quad(p.to, quad, p.count, is_aligned, sum);
  }
}

KERNEL(softcap, ELEMENT_THREADS, SoftcapParams) {
  const float cap = p.cap;
  const bool is_aligned = is_aligned16(p.values);
  for (int quad = first_quad(); quad < quad_count(p.count); quad += quad_step()) {
    Quad value = load_quad(p.values, quad, p.count, is_aligned);
#pragma unroll
    for (int i = 0; i < 4; i++) value.v[i] = cap * exact_tanh(value.v[i] / cap);
    store_quad(p.values, quad, p.count, is_aligned, value);
  }
}

// Rows of `size` values, quad by quad; the last of a row may be short.
struct RowQuad {
  int64_t row;
  int quad;

  DEVICE RowQuad(int index, int quads) : row(index / quads), quad(index % quads) {}
};

template <typename Activation>
DEVICE void multiply_gated(const GatedParams &p, Activation activation) {
  const int quads = quad_count(p.size);
  const bool is_aligned = is_aligned16(p.gate) && is_aligned16(p.up) && is_aligned16(p.out) && p.size % 4 == 0 &&
                          p.rowStride % 4 == 0;
  for (int index = first_quad(); index < p.rows * quads; index += quad_step()) {
    const RowQuad at(index, quads);
    const Quad gate = load_quad(p.gate + at.row * p.rowStride, at.quad, p.size, is_aligned);
    const Quad up = load_quad(p.up + at.row * p.rowStride, at.quad, p.size, is_aligned);
    Quad value;
#pragma unroll
    for (int i = 0; i < 4; i++) value.v[i] = activation(gate.v[i]) * up.v[i];
    store_quad(p.out + at.row * p.size, at.quad, p.size, is_aligned, value);
  }
}

KERNEL(gated_silu, ELEMENT_THREADS, GatedParams) {
  multiply_gated(p, [](float x) { return silu(x); });
}

KERNEL(gated_gelu, ELEMENT_THREADS, GatedParams) {
  multiply_gated(p, [](float x) { return gelu(x); });
}

KERNEL(gather_rows, ELEMENT_THREADS, GatherRowsParams) {
  const float *from = p.x + static_cast<int64_t>(p.wanted[blockIdx.x]) * p.size;
  float *to = p.to + static_cast<int64_t>(blockIdx.x) * p.size;
  const bool is_aligned = is_aligned16(from) && is_aligned16(to);
  for (int quad = threadIdx.x; 4 * quad < p.size; quad += blockDim.x) {
    store_quad(to, quad, p.size, is_aligned, load_quad(from, quad, p.size, is_aligned));
  }
}
