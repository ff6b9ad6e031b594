// Causal attention over paged keys and values, on matrix instructions. gpu-runtime/NUMERICS.md has the program
// of an output.
//
//   row        one query head of one token; the rows of a sequence's step are counted token by token, heads of one
//              key/value head's group side by side: row / groupSize is the token, row % groupSize the head in its group
//   KV block   16 positions; of a head: keys [headSize][16], values [16][headSize], bf16
//   KV tile    64 positions from a multiple of 64 on: the step of the online softmax
//   split      512 positions from a multiple of 512 on: softmax begins anew, its result is merged into those before
//
// A block of threads takes ROWS rows of one key/value head through KV tiles in ascending order: GROUPS groups of WARPS
// warps, a group for each 16 * ROW_TILES rows. In a KV tile a warp computes its group's scores for its share of the KV
// blocks, and after they are exchanged as weights through shared memory the sums for its share of the head's values. So
// a key or value is read from shared memory once for 16 * ROW_TILES rows, and the sums stay in registers.
//
//   keys of tile t -> scores -> maxima of rows, by the group -> weights in bf16 -> values of tile t -> sums
//
// Keys and values come by asynchronous copies into a ring of SLOTS slots, keys and values of a tile in turn. With
// several groups and four slots those of the next tile are copied while this one is computed, and groups meet once a
// tile; otherwise they meet at each slot, and copies are SLOTS - 1 slots ahead.
#ifndef STATOR_ATTENTION_H
#define STATOR_ATTENTION_H

#include "attention_rows.h"

// Waits for the threads of a group.
template <int GROUPS, int THREADS>
DEVICE void attention_group_barrier(int group) {
  if (GROUPS == 1) {
    __syncthreads();
  } else {
    group_barrier<THREADS>(group + 1);
  }
}

template <int HEAD_SIZE_, int ROW_TILES_, int GROUPS_, int WARPS_, int SLOTS_>
struct AttentionShape {
  static constexpr int HEAD_SIZE = HEAD_SIZE_;
  static constexpr int ROW_TILES = ROW_TILES_;  // Of a group.
  static constexpr int GROUPS = GROUPS_;
  static constexpr int WARPS = WARPS_;  // Of a group.
  static constexpr int SLOTS = SLOTS_;
  static constexpr int ROWS = 16 * ROW_TILES * GROUPS;
  static constexpr int THREADS = GROUPS * WARPS * WARP;
  static constexpr bool MEETS_ONCE = GROUPS > 1 && SLOTS == 4;
  static constexpr int KV_BLOCKS = ATTENTION_KV_BLOCKS / WARPS;  // Whose scores a warp computes.
  static constexpr int PIECES = 2 * KV_BLOCKS;                   // Of 8 positions, as mma_bf16 has them.
  static constexpr int PARTS = HEAD_SIZE / 8 / WARPS;            // Pieces of 8 of a warp's share of the values.
  static constexpr int CHUNKS = HEAD_SIZE / 8;                   // Of 16 bytes, in a row of queries or values.
  static constexpr int SLOT = ATTENTION_KV_TILE * HEAD_SIZE;     // Elements.
  static constexpr int BLOCK = ATTENTION_KV_BLOCK * HEAD_SIZE;   // Elements of a KV block's keys, or values.
  static constexpr int COPY_SHARES = THREADS / WARP / ATTENTION_KV_BLOCKS;  // Warps that copy one KV block.
  static_assert(BLOCK / 8 % (COPY_SHARES * WARP) == 0, "all threads copy alike");
};

template <typename Shape>
struct Attention : Shape {
  using Shape::BLOCK, Shape::CHUNKS, Shape::COPY_SHARES, Shape::GROUPS, Shape::HEAD_SIZE, Shape::KV_BLOCKS;
  using Shape::MEETS_ONCE, Shape::PARTS, Shape::PIECES, Shape::ROWS, Shape::ROW_TILES, Shape::SLOT, Shape::SLOTS;
  using Shape::THREADS, Shape::WARPS;

  const AttentionParams &p;
  const AttentionTile tile;
  const int keyValueHead;
  const int groupSize;
  const int lane;
  const int warp;            // Of its group.
  const int group;           // Takes rows group * 16 * ROW_TILES and on.
  const int copied;          // KV block of each tile that this warp copies, with the COPY_SHARES - 1 others of
  const int copyShare;       // another share.
  const AttentionRange seen;
  const int firstEnd;        // Behind the first row's position.

  // Shared memory; AttentionShape.java adds its bytes up.
  uint16_t *ring;     // [SLOTS][SLOT]
  uint16_t *queries;  // [ROWS][HEAD_SIZE]
  uint16_t *weights;  // [ROWS][ATTENTION_KV_TILE]
  float *exchange;    // [WARPS][ROWS]
  int *positions;     // [ROWS]; -1 in rows that there are not.

  // Of this lane: rows lane / 4 and lane / 4 + 8 of each row tile, `half` 0 and 1.
  float values[ROW_TILES][PARTS][4];    // Sums of weights times values: d of mma_bf16, a piece of 8 values each.
  float maxima[ROW_TILES][2];           // The same in all warps of the group and all lanes of a row.
  float sums[ROW_TILES][2][KV_BLOCKS];  // Of the weights of a KV block of each tile, in this lane's columns.

  int stepsIssued;  // Copies begun, keys and values in turn.
  int tileFrom;     // First KV tile, and the one behind the last.
  int tileTo;
  int block;        // The pool's, of the KV block whose copies are next.

  DEVICE Attention(const AttentionParams &params, const AttentionTile &itsTile, uint16_t *shared)
      : p(params),
        tile(itsTile),
        keyValueHead(blockIdx.y),
        groupSize(params.heads / params.keyValueHeads),
        lane(threadIdx.x % WARP),
        warp(threadIdx.x / WARP % WARPS),
        group(threadIdx.x / WARP / WARPS),
        copied(threadIdx.x / WARP % ATTENTION_KV_BLOCKS),
        copyShare(threadIdx.x / WARP / ATTENTION_KV_BLOCKS),
        seen(attention_range(itsTile, groupSize, params.window)),
        firstEnd(itsTile.start + itsTile.rowFrom / groupSize + 1),
        ring(shared),
        queries(ring + SLOTS * SLOT),
        weights(queries + ROWS * HEAD_SIZE),
        exchange(reinterpret_cast<float *>(weights + ROWS * ATTENTION_KV_TILE)),
        positions(reinterpret_cast<int *>(exchange + WARPS * ROWS)) {}

  // ---- Layout in shared memory: 16-byte chunks change places so that the 8 rows of a matrix lie in different banks.

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

  // The pool's number of the KV block that this warp copies of a KV tile; 0, and never read, where nothing of it is
  // seen.
  DEVICE int block_of(int kvTile) const {
    const int first = kvTile * ATTENTION_KV_TILE + copied * ATTENTION_KV_BLOCK;
    const bool isSeen = kvTile < tileTo && first < seen.end && first + ATTENTION_KV_BLOCK > seen.low;
    return isSeen ? p.blockTable[tile.tableStart + first / ATTENTION_KV_BLOCK] : 0;
  }

  // Begins the copy of the next keys or values, if there are any, as a group of its own.
  DEVICE void copy_next() {
    const int kvTile = tileFrom + stepsIssued / 2;
    if (kvTile < tileTo) {
      const uint8_t *head = p.pool + static_cast<int64_t>(block) * p.blockBytes + p.keyOffset;
      head += static_cast<int64_t>(keyValueHead + (stepsIssued % 2) * p.keyValueHeads) * (2 * BLOCK);
      const int first = kvTile * ATTENTION_KV_TILE + copied * ATTENTION_KV_BLOCK;
      uint16_t *to = ring + stepsIssued % SLOTS * SLOT;
      if (stepsIssued % 2 == 0) {
        copy_keys(to + copied * BLOCK, head, first);
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
    for (int i = 0; i < BLOCK / 8; i += COPY_SHARES * WARP) {
      const int chunk = i + copyShare * WARP + lane;
      async_copy16_or_zero(to + 8 * swizzled_key(chunk / 2, chunk % 2), from + 16 * chunk, isSeen);
    }
  }

  // Values that no row sees become zeros, because they are multiplied by a weight of zero.
  DEVICE void copy_values(uint16_t *to, const uint8_t *from, int first) const {
#pragma unroll
    for (int i = 0; i < BLOCK / 8; i += COPY_SHARES * WARP) {
      const int chunk = i + copyShare * WARP + lane;
      const int t = chunk / CHUNKS;
      const int row = copied * ATTENTION_KV_BLOCK + t;
      async_copy16_or_zero(to + 8 * swizzled(row, chunk % CHUNKS), from + 16 * chunk, is_seen(first + t));
    }
  }

  // Behind this all threads' copies of the next slot are there, and the slot before it is free and filled again.
  DEVICE void meet() {
    async_wait<SLOTS - 2>();
    __syncthreads();
    copy_next();
  }

  // The same of the next two slots.
  DEVICE void meet_once() {
    async_wait<0>();
    __syncthreads();
    copy_next();
    copy_next();
  }

  // ---- One KV tile

  // Row of `positions` and `exchange`.
  DEVICE int row_of(int rowTile, int half) const { return (group * ROW_TILES + rowTile) * 16 + half * 8 + lane / 4; }

  // Scores of this warp's KV blocks, as mma_bf16 leaves them: a chain over 16 values of the head at a time, ascending.
  DEVICE void multiply_keys(const uint16_t *slot, float scores[ROW_TILES][PIECES][4]) const {
    const int row = lane % 8 + 8 * (lane / 8 % 2);
#pragma unroll
    for (int i = 0; i < ROW_TILES * PIECES * 4; i++) scores[i / (PIECES * 4)][i / 4 % PIECES][i % 4] = 0;
#pragma unroll
    for (int k = 0; k < HEAD_SIZE / 16; k++) {
      uint32_t keys[PIECES][2];
#pragma unroll
      for (int b = 0; b < KV_BLOCKS; b++) {
        const uint16_t *from = slot + (warp * KV_BLOCKS + b) * BLOCK;
        load_matrix_x4_transposed(keys[2 * b], from + 8 * swizzled_key(16 * k + row, lane / 16));
      }
#pragma unroll
      for (int m = 0; m < ROW_TILES; m++) {
        uint32_t query[4];
        load_matrix_x4(query, queries + 8 * swizzled((group * ROW_TILES + m) * 16 + row, 2 * k + lane / 16));
#pragma unroll
        for (int n = 0; n < PIECES; n++) mma_bf16(scores[m][n], query, keys[n]);
      }
    }
  }

  // To units of log2.
  DEVICE void scale(float scores[ROW_TILES][PIECES][4]) const {
    const float inner = p.cap > 0 ? p.scale / p.cap : p.scale * ATTENTION_LOG2_E;
    const float outer = p.cap * ATTENTION_LOG2_E;
#pragma unroll
    for (int i = 0; i < ROW_TILES * PIECES * 4; i++) {
      float &score = scores[i / (PIECES * 4)][i / 4 % PIECES][i % 4];
      score *= inner;
      if (p.cap > 0) score = tanhf(score) * outer;
    }
  }

  // -infinity where a row does not see a position.
  DEVICE void mask(float scores[ROW_TILES][PIECES][4], int kvTile) const {
    const int first = kvTile * ATTENTION_KV_TILE + warp * KV_BLOCKS * ATTENTION_KV_BLOCK + lane % 4 * 2;
#pragma unroll
    for (int m = 0; m < ROW_TILES; m++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int last = positions[row_of(m, half)];
        const int before = last - p.window;
#pragma unroll
        for (int i = 0; i < 2 * PIECES; i++) {
          const int position = first + i / 2 * 8 + i % 2;
          if (position > last || position <= before) scores[m][i / 2][half * 2 + i % 2] = -INFINITY;
        }
      }
  }

  // Whether every row sees all of a KV tile, and nothing is to be masked.
  DEVICE bool all_see(int kvTile) const {
    const int from = kvTile * ATTENTION_KV_TILE;
    return from + ATTENTION_KV_TILE <= firstEnd && from >= seen.end - p.window;
  }

  // The largest score of each row in this warp's KV blocks, to shared memory.
  DEVICE void give_maxima(const float scores[ROW_TILES][PIECES][4]) const {
#pragma unroll
    for (int m = 0; m < ROW_TILES; m++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float most = -INFINITY;
#pragma unroll
        for (int i = 0; i < 2 * PIECES; i++) most = fmaxf(most, scores[m][i / 2][half * 2 + i % 2]);
        most = fmaxf(most, warp_shuffle_xor(most, 1));
        most = fmaxf(most, warp_shuffle_xor(most, 2));
        if (lane % 4 == 0) exchange[warp * ROWS + row_of(m, half)] = most;
      }
  }

  // Weights of this warp's KV blocks to shared memory as bf16; their float32 sums, and what was summed before,
  // rescaled.
  DEVICE void weigh(const float scores[ROW_TILES][PIECES][4]) {
    float rescale[ROW_TILES][2];
    bool rescales = false;
#pragma unroll
    for (int m = 0; m < ROW_TILES; m++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int row = row_of(m, half);
        float most = maxima[m][half];
#pragma unroll
        for (int w = 0; w < WARPS; w++) most = fmaxf(most, exchange[w * ROWS + row]);
        const float base = attention_base(most);
        rescale[m][half] = fast_exp2(maxima[m][half] - base);
        rescales |= rescale[m][half] != 1;
        maxima[m][half] = most;
#pragma unroll
        for (int b = 0; b < KV_BLOCKS; b++) {
          const float first = weigh_piece(scores[m][2 * b] + half * 2, base, row, 2 * b);
          const float second = weigh_piece(scores[m][2 * b + 1] + half * 2, base, row, 2 * b + 1);
          sums[m][half][b] = fmaf(sums[m][half][b], rescale[m][half], first + second);
        }
      }
    if (warp_ballot(rescales) == 0) return;  // A product with 1 changes nothing.
#pragma unroll
    for (int i = 0; i < ROW_TILES * PARTS * 4; i++) {
      values[i / (PARTS * 4)][i / 4 % PARTS][i % 4] *= rescale[i / (PARTS * 4)][i % 4 / 2];
    }
  }

  // Two neighbouring weights; gives their sum.
  DEVICE float weigh_piece(const float *scores, float base, int row, int piece) {
    const float low = fast_exp2(scores[0] - base);
    const float high = fast_exp2(scores[1] - base);
    uint16_t *to = weights + 8 * swizzled_weight(row, warp * PIECES + piece);
    reinterpret_cast<uint32_t *>(to)[lane % 4] = floats_to_bf16x2(low, high);
    return low + high;
  }

  // values += weights * values of the tile, 16 positions at a time, ascending.
  DEVICE void multiply_values(const uint16_t *slot) {
    const int row = lane % 8 + 8 * (lane / 8 % 2);
#pragma unroll
    for (int k = 0; k < ATTENTION_KV_BLOCKS; k++) {
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
    if (MEETS_ONCE) {
      meet_once();
    } else {
      meet();
    }
    float scores[ROW_TILES][PIECES][4];
    multiply_keys(ring + step % SLOTS * SLOT, scores);
    scale(scores);
    if (!all_see(kvTile)) mask(scores, kvTile);
    give_maxima(scores);
    attention_group_barrier<GROUPS, WARPS * WARP>(group);
    weigh(scores);
    if (MEETS_ONCE) {
      attention_group_barrier<GROUPS, WARPS * WARP>(group);
    } else {
      meet();
    }
    multiply_values(ring + (step + 1) % SLOTS * SLOT);
  }

  // ---- A split

  DEVICE void begin_split() {
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      maxima[i / 2][i % 2] = -INFINITY;
#pragma unroll
      for (int b = 0; b < KV_BLOCKS; b++) sums[i / 2][i % 2][b] = 0;
    }
#pragma unroll
    for (int i = 0; i < ROW_TILES * PARTS * 4; i++) values[i / (PARTS * 4)][i / 4 % PARTS][i % 4] = 0;
  }

  // Adds a row's sums up, in all its lanes and warps: columns, then KV blocks, as trees.
  DEVICE void end_split(AttentionState (&states)[ROW_TILES][2]) {
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      float ofWarp = 0;
#pragma unroll
      for (int b = 0; b < KV_BLOCKS; b++) {
        float sum = sums[i / 2][i % 2][b];
        sum += warp_shuffle_xor(sum, 1);
        sum += warp_shuffle_xor(sum, 2);
        ofWarp = b == 0 ? sum : ofWarp + sum;
      }
      if (lane % 4 == 0) exchange[warp * ROWS + row_of(i / 2, i % 2)] = ofWarp;
    }
    attention_group_barrier<GROUPS, WARPS * WARP>(group);
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      const float *of = exchange + row_of(i / 2, i % 2);
      const float firstHalf = WARPS == 2 ? of[0] : of[0] + of[ROWS];
      const float secondHalf = WARPS == 2 ? of[ROWS] : of[2 * ROWS] + of[3 * ROWS];
      states[i / 2][i % 2] = {maxima[i / 2][i % 2], firstHalf + secondHalf};
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
    for (int i = 0; i < (MEETS_ONCE ? 2 : SLOTS - 1); i++) copy_next();
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

  DEVICE void write_partial(const AttentionState (&states)[ROW_TILES][2]) const {
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
        *reinterpret_cast<float2 *>(to + HEAD_SIZE) = make_float2(states[m][half].max, states[m][half].sum);
      }
    }
  }
};

#endif
