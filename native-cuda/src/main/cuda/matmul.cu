// Matrix products of family cuda-mma-1: out[token][row] = sum over columns of weights[row][column] * x[token][column].
//
// The program of an output, the same in every kernel here, so that decode and prefill give the same bits:
//   columns are cut into ranges of ceil(columns / 2048) * 256, at most 8; in a range one accumulator, from 0, takes one
//   mma.m16n8k16 after the other, chunks ascending and steps ascending in a chunk (weights.h); sum = 0, then sum += range in
//   ascending order; then sum += bias; then out = sum or out += sum.
//
// decode_N, for up to N tokens a block: a warp takes one range of one row tile (two tiles if N > 8), all tokens; the warps of
//   a block add up through shared memory.
//     ranges  = ceil(columns / (ceil(columns / 2048) * 256))       slots = 8 / ranges, rounded down
//     threads = 32 * ranges * slots                                grid  = ceil(rows / (16 * tiles * slots)), ceil(tokens / N)
//     shared  = threads / 32 * N / 8 * 512 bytes
// prefill: 128 rows x 64 tokens a block of 4 warps, a warp 32 rows; activations go through three stages of one chunk in shared
//   memory, copied two chunks ahead; a weight is dequantised once for 64 tokens.
//     threads = 128                                                grid  = ceil(tokens / 64), ceil(rows / 128)
//     shared  = 3 * 64 * 256 bytes for the stages + 128 * 256 bytes for the sums of the ranges behind
//   Token tiles are next to each other in the grid, so that blocks running together share the weights that they stream.
// Which one: by tokens, decode_8, 16, 32, 64, then prefill; prefill from 33 tokens on where 128 rows a block still are enough
// blocks for the device (rows >= 16384), because a decode block reads all activations for 32 rows; on compute capability 9.0
// matmul_hopper.cu in prefill's place where it has blocks enough. MatmulShape.java has this.
//
// Products of a mixture of experts are the same with `tiles`, from experts.cu: an index of the grid's token tiles is one of
// them, which says whose tokens it has; it may be empty. `sources` says which row of x is a token's. An expert's matrix lies
// behind the one before it, row tile by row tile.
//
// What to expect, counted from the machine code of sm_90a and not measured. A weight costs 2, 1.0625, 0.5625 or 0.82 bytes in
// bf16, q8_0, q4_k, q6_k; every load of weights is 16 bytes a lane but for the headers. Instructions of a warp for one tile's
// step of 256 weights, of which an H200 at 4.3 TB/s and 1.75 GHz has time for 110, 58, 31, 45:
//   decode_8      bf16 8     q8_0 26    q4_k 22    q6_k 32        80 registers, 24 warps a multiprocessor, each with 2 to 4 KB
//                                                                 on its way: 50 to 90 KB, where 26 hide 0.8 us at that rate
//   decode_16     bf16 6     q8_0 26    q4_k 22    q6_k 33        128 registers, 16 warps, tiles counted one by one
//   decode_32, 64: one block a multiprocessor; 8 instructions of a tile's step are the products of 64 tokens
//   prefill, instructions a product: bf16 2.3, q8_0 4.6, q4_k 4.1, q6_k 5.4; 188 to 214 registers, two blocks of 4 warps
// Registers that spill: up to 10 of decode_16 and decode_64, in loops of 400 to 1300 instructions; none elsewhere.
//
// free_N, free_prefill: the same with the columns cut as FreeMatmulParams says, to measure what the one cut costs. A place in
// the grid's token tiles is `parts` places there, side by side, which add up in any order; threads = 32 * blockRanges * slots,
// slots = 8 / blockRanges, rounded down.
#include "matmul.h"

using namespace matmul;

// ---- Decode

// One warp's activations of GROUPS x 8 tokens, of two steps. Tokens beyond the last are the last one again.
template <class W, int GROUPS>
struct Inputs {
  int rows[GROUPS];  // where each token's begins, elements
  uint32_t words[GROUPS][4];

  DEVICE Inputs(const MatmulParams &p, const Group &group, int chunk) {
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
      const int token = group.first + i * TOKENS + static_cast<int>(threadIdx.x) % WARP / 4;
      rows[i] = source_of(p, min(token, group.end - 1)) * p.columns;
      load(i, p, chunk, 0);
    }
  }

  DEVICE void load(int i, const MatmulParams &p, int chunk, int pair) {
    const int column = lane_column<W>(p, chunk, threadIdx.x % 4) + pair * PAIR_COLUMNS;
    const uint4 four = *reinterpret_cast<const uint4 *>(p.x + (rows[i] + column));
    words[i][0] = four.x;
    words[i][1] = four.y;
    words[i][2] = four.z;
    words[i][3] = four.w;
  }
};

// sum += units [first, last) of the row tiles from `tile` on, by one warp.
template <class Cut, int GROUPS, int TILES>
DEVICE void multiply_range(float (&sum)[TILES][GROUPS][4], const MatmulParams &p, const Cut &cut, const Group &group, int tile,
                           int first, int last) {
  using W = typename Cut::W;
  constexpr int unitPairs = W::UNIT_CHUNKS * CHUNK_PAIRS;
  Stream<W, TILES> stream(p, cut, group.tileFrom, tile, first);
  Inputs<W, GROUPS> x(p, group, first * W::UNIT_CHUNKS);
#pragma unroll 1
  for (int unit = first; unit < last; unit++) {
    const bool isLast = unit + 1 == last;
#pragma unroll
    for (int pair = 0; pair < unitPairs; pair++) {
      if (pair % CHUNK_PAIRS == 0) stream.begin(pair / CHUNK_PAIRS, isLast);
      const int ahead = (pair + 1) % unitPairs;
      const int unitAhead = ahead > 0 || isLast ? unit : unit + 1;
      uint32_t a[2][TILES][4];
      stream.fragments(a, pair, isLast);
#pragma unroll
      for (int i = 0; i < GROUPS; i++) {
#pragma unroll
        for (int s = 0; s < 2; s++) {
#pragma unroll
          for (int r = 0; r < TILES; r++) mma_bf16(sum[r][i], a[s][r], x.words[i] + 2 * s);
        }
        x.load(i, p, unitAhead * W::UNIT_CHUNKS + ahead / CHUNK_PAIRS, ahead % CHUNK_PAIRS);
      }
    }
  }
}

// Adds up the ranges of one row tile for each slot and writes their rows; `partial` is [slot][range][GROUPS][4][32 lanes].
template <int GROUPS>
DEVICE void add_ranges(const MatmulParams &p, const Group &group, const float *partial, int slots, int ranges,
                       int firstTile, int tileStride, bool isShared) {
  for (int at = threadIdx.x; at < slots * TILE_ROWS * GROUPS * TOKENS; at += blockDim.x) {
    const int rowInTile = at % TILE_ROWS;
    const int slot = at / TILE_ROWS % slots;
    const int tokenInBlock = at / TILE_ROWS / slots;
    const int row = (firstTile + slot * tileStride) * TILE_ROWS + rowInTile;
    const int token = group.first + tokenInBlock;
    if (row >= p.rows || token >= group.end) continue;
    const int lane = rowInTile % 8 * 4 + tokenInBlock % TOKENS / 2;
    const int element = tokenInBlock / TOKENS * 4 + rowInTile / 8 * 2 + tokenInBlock % 2;
    float sum = 0;
    for (int range = 0; range < ranges; range++) {
      sum += partial[((slot * ranges + range) * GROUPS * 4 + element) * WARP + lane];
    }
    finish(p, token, row, sum, isShared);
  }
}

template <class Cut, int GROUPS, class Params>
DEVICE void decode(const Params &params) {
  const MatmulParams &p = product_of(params);
  constexpr int TILES = GROUPS == 1 ? 1 : 2;
  SHARED_MEMORY(float, partial);
  const Cut cut(params);
  const int ranges = cut.ranges();
  const int slots = static_cast<int>(blockDim.x) / WARP / ranges;
  const int warp = threadIdx.x / WARP;
  const int firstTile = blockIdx.x * slots * TILES;
  const Group group(p, cut.token_tile(blockIdx.y), GROUPS * TOKENS);
  if (group.first >= group.end) return;
  const int tile = firstTile + warp / ranges * TILES;
  float sum[TILES][GROUPS][4] = {};
  if (tile * TILE_ROWS < p.rows) {
    const int first = cut.from(blockIdx.y) + warp % ranges * cut.rangeUnits;
    const int last = min(first + cut.rangeUnits, cut.end(blockIdx.y));
    if (cut.has(blockIdx.y, first)) multiply_range<Cut, GROUPS, TILES>(sum, p, cut, group, tile, first, last);
  }
#pragma unroll
  for (int r = 0; r < TILES; r++) {
    if (r > 0) __syncthreads();
#pragma unroll
    for (int i = 0; i < GROUPS * 4; i++) {
      partial[(warp * GROUPS * 4 + i) * WARP + threadIdx.x % WARP] = sum[r][i / 4][i % 4];
    }
    __syncthreads();
    const Group again(p, cut.token_tile(blockIdx.y), GROUPS * TOKENS);
    add_ranges<GROUPS>(p, again, partial, slots, ranges, firstTile + r, TILES, cut.is_shared());
  }
}

// ---- Prefill

constexpr int PREFILL_WARPS = 4;
constexpr int PREFILL_TILES = 2;
constexpr int PREFILL_GROUPS = 8;
constexpr int PREFILL_TOKENS = PREFILL_GROUPS * TOKENS;
constexpr int STAGES = 3;
constexpr int ROW_PIECES = CHUNK / 8;  // of 16 bytes
constexpr int STAGE_PIECES = PREFILL_TOKENS * ROW_PIECES;

// A stage is [64 tokens][16 pieces]: columns 32 t + 8 i of a token's chunk are piece 4 i + t, with 4 flipped for odd tokens. So
// the eight lanes that shared memory serves at once, two tokens' four t, read from all its banks.
DEVICE int place_of(int token, int piece) { return token * ROW_PIECES + (piece ^ token % 2 * 4); }

// A thread copies one piece of every eighth token.
struct Copier {
  static constexpr int COPIES = PREFILL_TOKENS * ROW_PIECES / (PREFILL_WARPS * WARP);
  static constexpr int TOKENS_APART = PREFILL_TOKENS / COPIES;

  int rows[COPIES];  // where each of its tokens begins, elements
  uint32_t tokens;   // bit i: its token i is there
  int place;         // in a stage
  int piece;

  DEVICE Copier(const MatmulParams &p, const Group &group) {
    const int token = threadIdx.x / ROW_PIECES;
    piece = threadIdx.x % ROW_PIECES;
    place = place_of(token, piece);
    tokens = 0;
#pragma unroll
    for (int i = 0; i < COPIES; i++) {
      const int at = group.first + token + i * TOKENS_APART;
      rows[i] = at < group.end ? source_of(p, at) * p.columns : 0;
      if (at < group.end) tokens |= 1u << i;
    }
  }

  // Zeros for tokens beyond the last.
  template <class W>
  DEVICE void copy(uint4 *stage, const MatmulParams &p, int chunk) const {
    const uint16_t *chunkFrom = p.x + lane_column<W>(p, chunk, piece % 4) + piece / 4 * PAIR_COLUMNS;
#pragma unroll
    for (int i = 0; i < COPIES; i++) {
      async_copy16_or_zero(stage + place + i * TOKENS_APART * ROW_PIECES, chunkFrom + rows[i],
                           (tokens >> i & 1) != 0);
    }
  }
};

template <int TILES>
DEVICE void multiply_stage(float (&sum)[TILES][PREFILL_GROUPS][4], const uint32_t (&a)[2][TILES][4], const uint4 *stage,
                           int pair) {
  const int lane = threadIdx.x % WARP;
#pragma unroll
  for (int i = 0; i < PREFILL_GROUPS; i++) {
    const uint4 four = stage[place_of(i * TOKENS + lane / 4, pair * 4 + lane % 4)];
    const uint32_t b[2][2] = {{four.x, four.y}, {four.z, four.w}};
#pragma unroll
    for (int s = 0; s < 2; s++) {
#pragma unroll
      for (int r = 0; r < TILES; r++) mma_bf16(sum[r][i], a[s][r], b[s]);
    }
  }
}

// sum += the ranges before it, which rest in `totals`, a thread's own; but for the last range that is put there in turn, and
// sum = 0.
template <int TILES>
DEVICE void end_range(float (&sum)[TILES][PREFILL_GROUPS][4], float *totals, bool isFirst, bool isLast) {
#pragma unroll
  for (int i = 0; i < TILES * PREFILL_GROUPS * 4; i++) {
    float &element = sum[i / (PREFILL_GROUPS * 4)][i / 4 % PREFILL_GROUPS][i % 4];
    float &total = totals[i * PREFILL_WARPS * WARP];
    element = (isFirst ? 0.f : total) + element;
    if (isLast) continue;
    total = element;
    element = 0;
  }
}

template <class Cut, class Params>
DEVICE void multiply_tile(float (&sum)[PREFILL_TILES][PREFILL_GROUPS][4], const Params &params, const Group &group,
                          int tile) {
  using W = typename Cut::W;
  const MatmulParams &p = product_of(params);
  SHARED_MEMORY(uint4, stages);
  float *totals = reinterpret_cast<float *>(stages + STAGES * STAGE_PIECES) + threadIdx.x;
  const Cut cut(params);
  const int from = cut.from(blockIdx.x);
  const int end = cut.end(blockIdx.x);
  const int chunks = end * W::UNIT_CHUNKS;
  Stream<W, PREFILL_TILES> stream(p, cut, group.tileFrom, tile, from);
  const Copier copier(p, group);
  for (int i = 0; i < STAGES - 1; i++) {
    const int chunk = from * W::UNIT_CHUNKS + i;
    if (chunk < chunks) copier.copy<W>(stages + i * STAGE_PIECES, p, chunk);
    async_commit();
  }
  int stage = 0;
  int rangeEnd = from + cut.rangeUnits;
#pragma unroll 1
  for (int unit = from; unit < end; unit++) {
    const bool isLast = unit + 1 == end;
#pragma unroll
    for (int pair = 0; pair < W::UNIT_CHUNKS * CHUNK_PAIRS; pair++) {
      if (pair % CHUNK_PAIRS == 0) {
        async_wait<STAGES - 2>();
        __syncthreads();  // This chunk is there for all, and all have done with the stage that is filled next.
        const int ahead = unit * W::UNIT_CHUNKS + pair / CHUNK_PAIRS + STAGES - 1;
        const int free = stage == 0 ? STAGES - 1 : stage - 1;
        if (ahead < chunks) copier.copy<W>(stages + free * STAGE_PIECES, p, ahead);
        async_commit();
        stream.begin(pair / CHUNK_PAIRS, isLast);
      }
      uint32_t a[2][PREFILL_TILES][4];
      stream.fragments(a, pair, isLast);
      multiply_stage<PREFILL_TILES>(sum, a, stages + stage * STAGE_PIECES, pair % CHUNK_PAIRS);
      if (pair % CHUNK_PAIRS == CHUNK_PAIRS - 1) stage = stage == STAGES - 1 ? 0 : stage + 1;
    }
    if (unit + 1 == rangeEnd || isLast) {
      end_range<PREFILL_TILES>(sum, totals, rangeEnd == from + cut.rangeUnits, isLast);
      rangeEnd += cut.rangeUnits;
    }
  }
}

template <class Cut, class Params>
DEVICE void prefill(const Params &params) {
  const MatmulParams &p = product_of(params);
  const Group group(p, Cut(params).token_tile(blockIdx.x), PREFILL_TOKENS);
  if (group.first >= group.end) return;
  const int tile = (blockIdx.y * PREFILL_WARPS + threadIdx.x / WARP) * PREFILL_TILES;
  const int lastTile = ceil_divide(p.rows, TILE_ROWS) - 1;
  float sum[PREFILL_TILES][PREFILL_GROUPS][4] = {};
  multiply_tile<Cut>(sum, params, group, min(tile, lastTile));
  const Group again(p, Cut(params).token_tile(blockIdx.x), PREFILL_TOKENS);  // Rather than in registers all the while.
#pragma unroll
  for (int r = 0; r < PREFILL_TILES; r++) {
    finish_tile<PREFILL_GROUPS>(p, sum[r][0], tile + r, again.first, again.end, Cut(params).is_shared());
  }
}

#define MATMUL_KERNELS(name, decode_N, Cut, Params)                                       \
  KERNEL_RESIDENT(name##decode_N##8, 256, 3, Params) { decode<Cut, 1>(p); }               \
  KERNEL_RESIDENT(name##decode_N##16, 256, 2, Params) { decode<Cut, 2>(p); }              \
  KERNEL(name##decode_N##32, 256, Params) { decode<Cut, 4>(p); }                          \
  KERNEL(name##decode_N##64, 256, Params) { decode<Cut, 8>(p); }

#define FAMILY_KERNELS(type, W)                                                           \
  MATMUL_KERNELS(matmul_##type##_, decode_, Cut<W>, MatmulParams)                         \
  KERNEL_RESIDENT(matmul_##type##_prefill, 128, 2, MatmulParams) { prefill<Cut<W>>(p); }

#define FREE_KERNELS(type, W)                                                             \
  MATMUL_KERNELS(matmul_##type##_, free_, FreeCut<W>, FreeMatmulParams)                   \
  KERNEL_RESIDENT(matmul_##type##_free_prefill, 128, 2, FreeMatmulParams) { prefill<FreeCut<W>>(p); }

FAMILY_KERNELS(bf16, Bf16Weights)
FAMILY_KERNELS(q8_0, Q8_0Weights)
FAMILY_KERNELS(q4_k, Q4_KWeights)
FAMILY_KERNELS(q6_k, Q6_KWeights)
FAMILY_KERNELS(f8_e4m3, F8_E4M3Weights)

FREE_KERNELS(bf16, Bf16Weights)
FREE_KERNELS(q4_k, Q4_KWeights)
