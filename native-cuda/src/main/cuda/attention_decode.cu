// Attention of few query tokens of a sequence: splits side by side, then their results merged in ascending order.
//
// attention_decode_{32,64,96,128,256}: grid (any, key/value heads); blocks of threads share the first *tileCount of
// `tiles`, a tile for each split of each 16 rows. A tile whose rows see one split only is done here; of the others
// partial results,
//   float32 [row of all tiles][key/value head][headSize sums | maximum | sum of weights | 2 nothing]
// go to `partials`.
//
// attention_merge: grid (tiles * 4, key/value heads), 4 rows a block of threads; a tile for each 16 rows, its first
// split's.
//
// attention_decode_{64,128}_free, attention_merge_free: the same with splits as long as the tiles say, to measure what the one
// length costs. Bits depend on it.
#include "attention.h"

template <typename Shape, int SPLIT>
DEVICE void attention_decode(const AttentionParams &p) {
  SHARED_MEMORY(uint16_t, shared);
  const int count = *p.tileCount;
  for (int i = blockIdx.x; i < count; i += gridDim.x) {
    Attention<Shape> own(p, p.tiles[i], shared);
    const int splitFrom = own.tile.split * attention_split<SPLIT>(own.tile);
    const int from = max(own.seen.low, splitFrom);
    const int to = min(own.seen.end, splitFrom + attention_split<SPLIT>(own.tile));
    if (from >= to) continue;
    own.begin(from, to);
    for (int kvTile = own.tileFrom; kvTile < own.tileTo; kvTile++) own.take_tile(kvTile);
    AttentionState states[Shape::ROW_TILES][2];
    own.end_split(states);
    if (from == own.seen.low && to == own.seen.end) {
      own.write_out(own.values, states);
    } else {
      own.write_partial(states);
    }
    __syncthreads();
  }
}

#define ATTENTION_DECODE(name, split, headSize, slots)                    \
  KERNEL(name, 4 * WARP, AttentionParams) {                               \
    attention_decode<AttentionShape<headSize, 1, 1, 4, slots>, split>(p); \
  }

ATTENTION_DECODE(attention_decode_32, ATTENTION_SPLIT, 32, 4)
ATTENTION_DECODE(attention_decode_64, ATTENTION_SPLIT, 64, 4)
ATTENTION_DECODE(attention_decode_96, ATTENTION_SPLIT, 96, 4)
ATTENTION_DECODE(attention_decode_128, ATTENTION_SPLIT, 128, 4)
ATTENTION_DECODE(attention_decode_256, ATTENTION_SPLIT, 256, 2)
ATTENTION_DECODE(attention_decode_64_free, 0, 64, 4)
ATTENTION_DECODE(attention_decode_128_free, 0, 128, 4)

constexpr int MERGE_WARPS = 4;
constexpr int MERGE_VALUES_MAX = 256 / WARP;

// A warp a row, lanes are values of the head.
template <int SPLIT>
DEVICE void attention_merge_splits(const AttentionParams &p) {
  const int tilesPerBlock = 16 / MERGE_WARPS;
  const AttentionTile tile = p.tiles[blockIdx.x / tilesPerBlock];
  const int row = blockIdx.x % tilesPerBlock * MERGE_WARPS + threadIdx.x / WARP;
  if (tile.rowFrom + row >= tile.rowTo) return;
  const AttentionRange seen = attention_range(tile, p.heads / p.keyValueHeads, p.window);
  const int first = seen.low / attention_split<SPLIT>(tile);
  const int last = (seen.end - 1) / attention_split<SPLIT>(tile);
  if (first == last) return;

  const int keyValueHead = blockIdx.y;
  const int lane = threadIdx.x % WARP;
  const int64_t partialRows = static_cast<int64_t>(tile.rowTo - tile.rowFrom) * p.keyValueHeads;
  const int64_t splitStride = partialRows * attention_partial_stride(p.headSize);
  const float *from = attention_partial(p, tile.partialRow, row, keyValueHead) + first * splitStride;
  AttentionState state = {-INFINITY, 0.f};
  float total[MERGE_VALUES_MAX] = {};
#pragma unroll 4
  for (int split = first; split <= last; split++, from += splitStride) {
    const float2 factors = attention_merge_states(state, {from[p.headSize], from[p.headSize + 1]});
#pragma unroll
    for (int i = 0; i < MERGE_VALUES_MAX; i++) {
      if (i * WARP < p.headSize) total[i] = attention_merge_values(total[i], from[i * WARP + lane], factors);
    }
  }
  const float inverse = 1.f / state.sum;
  uint16_t *to = p.out + attention_row_offset(p, tile, tile.rowFrom + row, keyValueHead);
#pragma unroll
  for (int i = 0; i < MERGE_VALUES_MAX; i++) {
    if (i * WARP < p.headSize) to[i * WARP + lane] = float_to_bf16(fmaf(total[i], inverse, 0.f));
  }
}

KERNEL(attention_merge, MERGE_WARPS *WARP, AttentionParams) { attention_merge_splits<ATTENTION_SPLIT>(p); }

KERNEL(attention_merge_free, MERGE_WARPS *WARP, AttentionParams) { attention_merge_splits<0>(p); }
