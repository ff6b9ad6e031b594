// KV blocks on their way out of the pool and back.
#include "stator.h"

constexpr int COPY_THREADS = 256;
constexpr int TRANSPOSE_THREADS = 128;
constexpr int TOKENS = 16;
// A row of the tile, in halves: an odd number of banks, so that a column meets all of them.
constexpr int TILE_STRIDE = TOKENS + 2;
constexpr int UNIT = 8;  // halves in 16 bytes

KERNEL(copy_blocks, COPY_THREADS, CopyBlocksParams) {
  const int units = p.blockBytes / 16;
  uint4 *pool = static_cast<uint4 *>(p.pool) + static_cast<int64_t>(p.blocks[blockIdx.y]) * units;
  uint4 *buffer = static_cast<uint4 *>(p.buffer) + static_cast<int64_t>(blockIdx.y) * units;
  const uint4 *from = p.toPool ? buffer : pool;
  uint4 *to = p.toPool ? pool : buffer;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < units; i += gridDim.x * blockDim.x) to[i] = from[i];
}

// Values lie token by token in both.
DEVICE void copy_values(uint16_t *head, uint16_t *row, int rowStride, const TransposeBlocksParams &p) {
  const int units = p.headSize / UNIT;
  for (int i = threadIdx.x; i < TOKENS * units; i += blockDim.x) {
    uint4 *in_pool = reinterpret_cast<uint4 *>(head) + i;
    uint4 *in_row = reinterpret_cast<uint4 *>(row + i / units * rowStride) + i % units;
    if (p.toPool) {
      *in_pool = *in_row;
    } else {
      *in_row = *in_pool;
    }
  }
}

DEVICE uint4 gather_unit(const uint16_t *from, int stride) {
  uint32_t pairs[UNIT / 2];
#pragma unroll
  for (int i = 0; i < UNIT / 2; i++) {
    pairs[i] = from[2 * i * stride] | static_cast<uint32_t>(from[(2 * i + 1) * stride]) << 16;
  }
  return make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
}

DEVICE void scatter_unit(uint16_t *to, int stride, uint4 unit) {
  const uint32_t pairs[UNIT / 2] = {unit.x, unit.y, unit.z, unit.w};
#pragma unroll
  for (int i = 0; i < UNIT / 2; i++) {
    to[2 * i * stride] = static_cast<uint16_t>(pairs[i]);
    to[(2 * i + 1) * stride] = static_cast<uint16_t>(pairs[i] >> 16);
  }
}

// Keys, dimension by dimension in the pool, pass through a tile [headSize][16] of shared memory.
DEVICE void transpose_keys(uint16_t *head, uint16_t *row, int rowStride, const TransposeBlocksParams &p) {
  SHARED_MEMORY(uint16_t, tile);
  const int units = p.headSize / UNIT;
  const auto in_pool = [=](int i) { return reinterpret_cast<uint4 *>(head) + i; };
  const auto in_tile_row = [=](int i) { return tile + i / 2 * TILE_STRIDE + i % 2 * UNIT; };
  const auto in_row = [=](int i) { return reinterpret_cast<uint4 *>(row + i / units * rowStride) + i % units; };
  const auto in_tile_column = [=](int i) { return tile + i % units * UNIT * TILE_STRIDE + i / units; };
  if (p.toPool) {
    for (int i = threadIdx.x; i < TOKENS * units; i += blockDim.x) {
      scatter_unit(in_tile_column(i), TILE_STRIDE, *in_row(i));
    }
    __syncthreads();
    for (int i = threadIdx.x; i < 2 * p.headSize; i += blockDim.x) *in_pool(i) = gather_unit(in_tile_row(i), 1);
  } else {
    for (int i = threadIdx.x; i < 2 * p.headSize; i += blockDim.x) scatter_unit(in_tile_row(i), 1, *in_pool(i));
    __syncthreads();
    for (int i = threadIdx.x; i < TOKENS * units; i += blockDim.x) {
      *in_row(i) = gather_unit(in_tile_column(i), TILE_STRIDE);
    }
  }
}

KERNEL(transpose_blocks, TRANSPOSE_THREADS, TransposeBlocksParams) {
  const int part = blockIdx.x / p.kvHeads;  // layer * 2, + 1 for values
  const int head = blockIdx.x % p.kvHeads;
  const int64_t parts = 2 * p.layers;
  const int64_t part_size = static_cast<int64_t>(p.kvHeads) * p.headSize * TOKENS;
  const int64_t block = p.blocks[blockIdx.y];
  uint16_t *in_pool = static_cast<uint16_t *>(p.pool) + (block * parts + part) * part_size + head * p.headSize * TOKENS;
  uint16_t *row = static_cast<uint16_t *>(p.tokens) + (blockIdx.y * parts + part) * part_size + head * p.headSize;
  if (part % 2 == 0) {
    transpose_keys(in_pool, row, p.kvHeads * p.headSize, p);
  } else {
    copy_values(in_pool, row, p.kvHeads * p.headSize, p);
  }
}
