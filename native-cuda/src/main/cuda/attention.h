// Causal attention over paged keys and values, on matrix instructions. gpu-runtime/NUMERICS.md has the program of an output.
//
//   row        one query head of one token; the rows of a sequence's step are counted token by token, heads of one
//              key/value head's group side by side: row / groupSize is the token, row % groupSize the head in its group
//   KV block   16 positions; of a head: keys [headSize][16], values [16][headSize], bf16
//   KV tile    64 positions from a multiple of 64 on: the step of the online softmax
//   split      512 positions from a multiple of 512 on: softmax begins anew, its result is merged into those before
//
// A block of threads takes ROWS rows of one key/value head through KV tiles in ascending order, 4 warps for each 16 * ROW_TILES
// rows. In a KV tile warp w of the four computes the scores of its KV block w, and after they are exchanged as weights
// through shared memory the sums of its quarter of the head's values. So each key and value is read from shared memory
// once for 16 * ROW_TILES rows, and the sums stay in registers.
//
//   keys of tile t -> scores -> maxima of rows, by all warps -> weights in bf16 -> values of tile t -> sums
//
// Keys and values come by asynchronous copies into a ring of SLOTS slots, keys and values of a tile in turn, SLOTS - 1 ahead.
#ifndef STATOR_ATTENTION_H
#define STATOR_ATTENTION_H

#include "stator.h"

constexpr int ATTENTION_KV_BLOCK = 16;
constexpr int ATTENTION_KV_TILE = 64;
constexpr int ATTENTION_SPLIT = 512;
constexpr int ATTENTION_WARPS = ATTENTION_KV_TILE / ATTENTION_KV_BLOCK;
constexpr int ATTENTION_PARTIAL_EXTRA = 4;  // Behind a row's sums: maximum, sum of weights, nothing, nothing.
constexpr float ATTENTION_LOG2_E = 1.44269504088896340736f;

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

// The partial result of a row: of the split that `tile` names, or of the tile's first where a list has a tile once.
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

template <int HEAD_SIZE, int ROW_TILES, int GROUPS, int SLOTS>
struct Attention {
  static constexpr int ROWS = 16 * ROW_TILES * GROUPS;
  static constexpr int THREADS = GROUPS * ATTENTION_WARPS * WARP;
  static constexpr int CHUNKS = HEAD_SIZE / 8;                    // Of 16 bytes, in a row of queries or values.
  static constexpr int PARTS = HEAD_SIZE / 8 / ATTENTION_WARPS;   // Pieces of 8 of a warp's quarter of the values.
  static constexpr int SLOT = ATTENTION_KV_TILE * HEAD_SIZE;      // Elements.
  static constexpr int BLOCK = ATTENTION_KV_BLOCK * HEAD_SIZE;    // Elements of a KV block's keys, or values.

  const AttentionParams &p;
  const AttentionTile tile;
  const int keyValueHead;
  const int groupSize;
  const int lane;
  const int warp;   // Of the four.
  const int group;  // Of GROUPS; takes rows group * 16 * ROW_TILES and on.
  const AttentionRange seen;

  // Shared memory.
  uint16_t *ring;     // [SLOTS][SLOT]
  uint16_t *queries;  // [ROWS][HEAD_SIZE]
  uint16_t *weights;  // [ROWS][ATTENTION_KV_TILE]
  float *exchange;    // [ATTENTION_WARPS][ROWS]
  int *positions;     // [ROWS]; -1 in rows that there are not.

  // Of this lane: rows lane / 4 and lane / 4 + 8 of each row tile, `half` 0 and 1.
  float values[ROW_TILES][PARTS][4];  // Sums of weights times values: d of mma_bf16, a piece of 8 values each.
  float maxima[ROW_TILES][2];         // The same in the four warps and in the lanes of a row.
  float sums[ROW_TILES][2];           // Of the weights of this warp's KV blocks and this lane's columns.

  int stepsIssued;  // Copies begun, keys and values in turn.
  int tileFrom;     // First KV tile, and the one behind the last.
  int tileTo;
  int block;        // The pool's, of this warp's KV block whose copies are next.

  DEVICE Attention(const AttentionParams &params, const AttentionTile &itsTile, uint16_t *shared)
      : p(params),
        tile(itsTile),
        keyValueHead(blockIdx.y),
        groupSize(params.heads / params.keyValueHeads),
        lane(threadIdx.x % WARP),
        warp(threadIdx.x / WARP % ATTENTION_WARPS),
        group(threadIdx.x / WARP / ATTENTION_WARPS),
        seen(attention_range(itsTile, groupSize, params.window)),
        ring(shared),
        queries(ring + SLOTS * SLOT),
        weights(queries + ROWS * HEAD_SIZE),
        exchange(reinterpret_cast<float *>(weights + ROWS * ATTENTION_KV_TILE)),
        positions(reinterpret_cast<int *>(exchange + ATTENTION_WARPS * ROWS)) {}

  // Bytes of shared memory; AttentionShape.java has the same sum.
  static constexpr int SHARED_BYTES =
      2 * (SLOTS * SLOT + ROWS * HEAD_SIZE + ROWS * ATTENTION_KV_TILE) + 4 * (ATTENTION_WARPS + 1) * ROWS;

  // ---- Layout in shared memory: chunks of 16 bytes change places so that the 8 rows of a matrix lie in different banks.

  // Chunk of a row of queries or values.
  static DEVICE int swizzled(int row, int chunk) {
    return row * CHUNKS + (CHUNKS % 8 == 0 ? chunk ^ (row & 7) : chunk ^ (row >> 1 & 3));
  }

  // Half of the 16 positions of a row of keys.
  static DEVICE int swizzled_key(int d, int half) { return 2 * d + (half ^ (d >> 2 & 1)); }

  static DEVICE int swizzled_weight(int row, int chunk) { return row * (ATTENTION_KV_TILE / 8) + (chunk ^ (row & 7)); }

  // ---- Copies to shared memory

  DEVICE void load_positions() {
    for (int r = threadIdx.x; r < ROWS; r += THREADS) {
      const int row = tile.rowFrom + r;
      positions[r] = row < tile.rowTo ? tile.start + row / groupSize : -1;
    }
  }

  DEVICE void copy_queries() {
    for (int i = threadIdx.x; i < ROWS * CHUNKS; i += THREADS) {
      const int r = i / CHUNKS;
      const int chunk = i % CHUNKS;
      const bool isThere = tile.rowFrom + r < tile.rowTo;
      const uint16_t *from = isThere ? p.q + attention_row_offset(p, tile, tile.rowFrom + r, keyValueHead) : p.q;
      async_copy16_or_zero(queries + 8 * swizzled(r, chunk), from + 8 * chunk, isThere);
    }
  }

  DEVICE bool is_seen(int position) const { return position >= seen.low && position < seen.end; }

  // This warp's KV block of a KV tile; 0, and never read, where nothing of it is seen.
  DEVICE int block_of(int kvTile) const {
    const int first = kvTile * ATTENTION_KV_TILE + warp * ATTENTION_KV_BLOCK;
    const bool isSeen = kvTile < tileTo && first < seen.end && first + ATTENTION_KV_BLOCK > seen.low;
    return isSeen ? p.blockTable[tile.tableStart + first / ATTENTION_KV_BLOCK] : 0;
  }

  // Begins the copy of the next keys or values, if there are any, as a group of its own.
  DEVICE void copy_next() {
    const int kvTile = tileFrom + stepsIssued / 2;
    if (kvTile < tileTo) {
      const uint8_t *head = p.pool + static_cast<int64_t>(block) * p.blockBytes + p.keyOffset;
      head += static_cast<int64_t>(keyValueHead + (stepsIssued % 2) * p.keyValueHeads) * (2 * BLOCK);
      const int first = kvTile * ATTENTION_KV_TILE + warp * ATTENTION_KV_BLOCK;
      uint16_t *to = ring + stepsIssued % SLOTS * SLOT;
      if (stepsIssued % 2 == 0) {
        copy_keys(to + warp * BLOCK, head, first);
      } else {
        copy_values(to, head, first);
        block = block_of(kvTile + 1);
      }
    }
    async_commit();
    stepsIssued++;
  }

  // Keys that no row sees are stale where their block has others; their scores are replaced.
  DEVICE void copy_keys(uint16_t *to, const uint8_t *from, int first) const {
    const bool isSeen = first < seen.end && first + ATTENTION_KV_BLOCK > seen.low;
#pragma unroll
    for (int i = 0; i < BLOCK / 8; i += GROUPS * WARP) {
      const int chunk = i + group * WARP + lane;
      if (GROUPS > 1 && chunk >= BLOCK / 8) break;
      async_copy16_or_zero(to + 8 * swizzled_key(chunk / 2, chunk % 2), from + 16 * chunk, isSeen);
    }
  }

  // Values that no row sees become zeros, because they are multiplied by a weight of zero.
  DEVICE void copy_values(uint16_t *to, const uint8_t *from, int first) const {
#pragma unroll
    for (int i = 0; i < BLOCK / 8; i += GROUPS * WARP) {
      const int chunk = i + group * WARP + lane;
      if (GROUPS > 1 && chunk >= BLOCK / 8) break;
      const int t = chunk / CHUNKS;
      const int row = warp * ATTENTION_KV_BLOCK + t;
      async_copy16_or_zero(to + 8 * swizzled(row, chunk % CHUNKS), from + 16 * chunk, is_seen(first + t));
    }
  }

  // The next keys or values are in shared memory, of all threads; the slot of those before is free and filled again.
  DEVICE const uint16_t *next_slot(int step) {
    async_wait<SLOTS - 2>();
    __syncthreads();
    copy_next();
    return ring + step % SLOTS * SLOT;
  }

  // ---- One KV tile

  // Row of `positions` and `exchange`.
  DEVICE int row_of(int rowTile, int half) const { return (group * ROW_TILES + rowTile) * 16 + half * 8 + lane / 4; }

  // Scores of this warp's KV block, as mma_bf16 leaves them: a chain over 16 values of the head at a time, ascending.
  DEVICE void multiply_keys(const uint16_t *slot, float scores[ROW_TILES][2][4]) const {
    const int row = lane % 8 + 8 * (lane / 8 % 2);
#pragma unroll
    for (int m = 0; m < ROW_TILES; m++)
#pragma unroll
      for (int i = 0; i < 8; i++) scores[m][i / 4][i % 4] = 0;
#pragma unroll
    for (int k = 0; k < HEAD_SIZE / 16; k++) {
      uint32_t keys[4];
      load_matrix_x4_transposed(keys, slot + warp * BLOCK + 8 * swizzled_key(16 * k + row, lane / 16));
#pragma unroll
      for (int m = 0; m < ROW_TILES; m++) {
        uint32_t query[4];
        load_matrix_x4(query, queries + 8 * swizzled((group * ROW_TILES + m) * 16 + row, 2 * k + lane / 16));
        mma_bf16(scores[m][0], query, keys);
        mma_bf16(scores[m][1], query, keys + 2);
      }
    }
  }

  // To units of log2; -infinity where a row does not see a position.
  DEVICE void scale_and_mask(float scores[ROW_TILES][2][4], int kvTile) const {
    const int first = kvTile * ATTENTION_KV_TILE + warp * ATTENTION_KV_BLOCK + lane % 4 * 2;
    const float inner = p.cap > 0 ? p.scale / p.cap : p.scale * ATTENTION_LOG2_E;
    const float outer = p.cap * ATTENTION_LOG2_E;
#pragma unroll
    for (int m = 0; m < ROW_TILES; m++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int last = positions[row_of(m, half)];
        const int before = last - p.window;
#pragma unroll
        for (int i = 0; i < 4; i++) {
          float &score = scores[m][i / 2][half * 2 + i % 2];
          const int position = first + i / 2 * 8 + i % 2;
          score *= inner;
          if (p.cap > 0) score = tanhf(score) * outer;
          if (position > last || position <= before) score = -INFINITY;
        }
      }
  }

  // The largest score of each row in this warp's KV block, to shared memory.
  DEVICE void give_maxima(const float scores[ROW_TILES][2][4]) const {
#pragma unroll
    for (int m = 0; m < ROW_TILES; m++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const float *first = scores[m][0] + half * 2;
        const float *second = scores[m][1] + half * 2;
        float most = fmaxf(fmaxf(first[0], first[1]), fmaxf(second[0], second[1]));
        most = fmaxf(most, warp_shuffle_xor(most, 1));
        most = fmaxf(most, warp_shuffle_xor(most, 2));
        if (lane % 4 == 0) exchange[warp * ROWS + row_of(m, half)] = most;
      }
  }

  // Weights of this warp's KV block to shared memory as bf16; their float32 sum, and what was summed before, rescaled.
  DEVICE void weigh(const float scores[ROW_TILES][2][4]) {
#pragma unroll
    for (int m = 0; m < ROW_TILES; m++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int row = row_of(m, half);
        float most = maxima[m][half];
#pragma unroll
        for (int w = 0; w < ATTENTION_WARPS; w++) most = fmaxf(most, exchange[w * ROWS + row]);
        const float base = attention_base(most);
        const float rescale = fast_exp2(maxima[m][half] - base);
        maxima[m][half] = most;
        float two[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
          const float low = fast_exp2(scores[m][i][half * 2] - base);
          const float high = fast_exp2(scores[m][i][half * 2 + 1] - base);
          two[i] = low + high;
          uint32_t *to = reinterpret_cast<uint32_t *>(weights + 8 * swizzled_weight(row, 2 * warp + i));
          to[lane % 4] = floats_to_bf16x2(low, high);
        }
        sums[m][half] = fmaf(sums[m][half], rescale, two[0] + two[1]);
#pragma unroll
        for (int n = 0; n < PARTS; n++) {
          values[m][n][half * 2] *= rescale;
          values[m][n][half * 2 + 1] *= rescale;
        }
      }
  }

  // values += weights * values of the tile, 16 positions at a time, ascending.
  DEVICE void multiply_values(const uint16_t *slot) {
    const int row = lane % 8 + 8 * (lane / 8 % 2);
#pragma unroll
    for (int k = 0; k < ATTENTION_WARPS; k++) {
      uint32_t weight[ROW_TILES][4];
#pragma unroll
      for (int m = 0; m < ROW_TILES; m++) {
        const int weightRow = (group * ROW_TILES + m) * 16 + row;
        load_matrix_x4(weight[m], weights + 8 * swizzled_weight(weightRow, 2 * k + lane / 16));
      }
#pragma unroll
      for (int n = 0; n < PARTS; n += 2) {
        const bool isPair = n + 1 < PARTS;
        const uint16_t *from = slot + 8 * swizzled(16 * k + row, warp * PARTS + n + (isPair ? lane / 16 : 0));
        uint32_t value[4];
        if (isPair) {
          load_matrix_x4_transposed(value, from);
        } else {
          load_matrix_x2_transposed(value, from);
        }
#pragma unroll
        for (int m = 0; m < ROW_TILES; m++) {
          mma_bf16(values[m][n], weight[m], value);
          if (isPair) mma_bf16(values[m][n + 1], weight[m], value + 2);
        }
      }
    }
  }

  DEVICE void take_tile(int kvTile) {
    const int step = 2 * (kvTile - tileFrom);
    const uint16_t *keys = next_slot(step);
    float scores[ROW_TILES][2][4];
    multiply_keys(keys, scores);
    scale_and_mask(scores, kvTile);
    give_maxima(scores);
    __syncthreads();
    weigh(scores);
    multiply_values(next_slot(step + 1));
  }

  // ---- A split

  DEVICE void begin_split() {
#pragma unroll
    for (int m = 0; m < ROW_TILES; m++) {
      maxima[m][0] = maxima[m][1] = -INFINITY;
      sums[m][0] = sums[m][1] = 0;
#pragma unroll
      for (int i = 0; i < 4 * PARTS; i++) values[m][i / 4][i % 4] = 0;
    }
  }

  // Makes a row's `sums` the same in all lanes and warps: columns, then KV blocks, as trees.
  DEVICE void end_split() {
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      float sum = sums[i / 2][i % 2];
      sum += warp_shuffle_xor(sum, 1);
      sum += warp_shuffle_xor(sum, 2);
      if (lane % 4 == 0) exchange[warp * ROWS + row_of(i / 2, i % 2)] = sum;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      const float *of = exchange + row_of(i / 2, i % 2);
      sums[i / 2][i % 2] = (of[0] + of[ROWS]) + (of[2 * ROWS] + of[3 * ROWS]);
    }
  }

  // Begins the copies of the KV tiles that hold positions [from, to), and of the queries.
  DEVICE void begin(int from, int to) {
    tileFrom = from / ATTENTION_KV_TILE;
    tileTo = (to + ATTENTION_KV_TILE - 1) / ATTENTION_KV_TILE;
    stepsIssued = 0;
    block = block_of(tileFrom);
    load_positions();
    copy_queries();
    for (int i = 0; i < SLOTS - 1; i++) copy_next();
    begin_split();
  }

  // ---- Results: element `n`, `half`, pair of columns of this lane

  DEVICE int column(int n) const { return (warp * PARTS + n) * 8 + lane % 4 * 2; }

  // out = values / sum; a zero is a positive one, whichever way it came.
  DEVICE void write_out(const float from[ROW_TILES][PARTS][4], const AttentionState (&states)[ROW_TILES][2]) const {
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      const int m = i / 2;
      const int half = i % 2;
      const int row = tile.rowFrom + row_of(m, half);
      if (row >= tile.rowTo) continue;
      const float inverse = 1.f / states[m][half].sum;
      uint16_t *to = p.out + attention_row_offset(p, tile, row, keyValueHead);
#pragma unroll
      for (int n = 0; n < PARTS; n++) {
        const float *pair = from[m][n] + half * 2;
        *reinterpret_cast<uint32_t *>(to + column(n)) =
            floats_to_bf16x2(fmaf(pair[0], inverse, 0.f), fmaf(pair[1], inverse, 0.f));
      }
    }
  }

  DEVICE void write_partial() const {
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      const int m = i / 2;
      const int half = i % 2;
      const int row = row_of(m, half);
      if (tile.rowFrom + row >= tile.rowTo) continue;
      float *to = attention_partial(p, tile.partialRow, row, keyValueHead);
#pragma unroll
      for (int n = 0; n < PARTS; n++) {
        *reinterpret_cast<float2 *>(to + column(n)) = make_float2(values[m][n][half * 2], values[m][n][half * 2 + 1]);
      }
      if (warp == 0 && lane % 4 == 0) {
        *reinterpret_cast<float2 *>(to + HEAD_SIZE) = make_float2(maxima[m][half], sums[m][half]);
      }
    }
  }
};

#endif
