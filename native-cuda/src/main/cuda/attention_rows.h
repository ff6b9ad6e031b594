// What attention's kernels share about a row: its running softmax, what it sees, where its query and results lie.
#ifndef STATOR_ATTENTION_ROWS_H
#define STATOR_ATTENTION_ROWS_H

#include "stator.h"

constexpr int ATTENTION_KV_BLOCK = 16;
constexpr int ATTENTION_KV_TILE = 64;
constexpr int ATTENTION_SPLIT = 512;
constexpr int ATTENTION_KV_BLOCKS = ATTENTION_KV_TILE / ATTENTION_KV_BLOCK;  // Of a KV tile.
constexpr int ATTENTION_PARTIAL_EXTRA = 4;  // Behind a row's sums: maximum, sum of weights, nothing, nothing.
constexpr float ATTENTION_LOG2_E = 1.44269504088896340736f;

// Positions of a tile's splits: SPLIT, or what the tile says where that is 0.
template <int SPLIT>
DEVICE int attention_split(const AttentionTile &tile) {
  return SPLIT > 0 ? SPLIT : tile.splitLength;
}

// A running softmax of one row. `max` is in units of log2; -infinity before anything was seen.
struct AttentionState {
  float max;
  float sum;
};

// What is subtracted from scores: the maximum, but no infinity where nothing was seen, so that the weights are zeros.
DEVICE float attention_base(float max) { return max == -INFINITY ? 0.f : max; }

// Factors that bring an earlier and a later part of a row to the larger of their maxima; `earlier` becomes both.
DEVICE float2 attention_merge_states(AttentionState &earlier, const AttentionState &later) {
  const float max = fmaxf(earlier.max, later.max);
  const float base = attention_base(max);
  const float2 factors = make_float2(fast_exp2(earlier.max - base), fast_exp2(later.max - base));
  earlier.max = max;
  earlier.sum = fmaf(later.sum, factors.y, earlier.sum * factors.x);
  return factors;
}

DEVICE float attention_merge_values(float earlier, float later, float2 factors) {
  return fmaf(later, factors.y, earlier * factors.x);
}

// Positions that the rows of a tile see: [low, end).
struct AttentionRange {
  int low;
  int end;
};

DEVICE AttentionRange attention_range(const AttentionTile &tile, int groupSize, int window) {
  const int first = tile.start + tile.rowFrom / groupSize;
  const int last = tile.start + (tile.rowTo - 1) / groupSize;
  return {max(0, first - window + 1), last + 1};
}

// Floats of a row's partial result.
DEVICE int attention_partial_stride(int headSize) { return headSize + ATTENTION_PARTIAL_EXTRA; }

// A row's partial result, where its tile's begin at partialRow.
DEVICE float *attention_partial(const AttentionParams &p, int partialRow, int row, int keyValueHead) {
  const int64_t index = static_cast<int64_t>(partialRow + row) * p.keyValueHeads + keyValueHead;
  return p.partials + index * attention_partial_stride(p.headSize);
}

// Where a row's query, or its result, begins: an index into [M][heads][headSize].
DEVICE int64_t attention_row_offset(const AttentionParams &p, const AttentionTile &tile, int row, int keyValueHead) {
  const int groupSize = p.heads / p.keyValueHeads;
  const int64_t token = tile.token + row / groupSize;
  return (token * p.heads + keyValueHead * groupSize + row % groupSize) * p.headSize;
}

#endif
