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
#include "weights.h"

using namespace weights;

constexpr int TOKENS = 8;  // of one matrix instruction
constexpr int RANGE = 256;
constexpr int RANGES_MAX = 8;
constexpr int PAIR_COLUMNS = 8;  // a lane's columns of two steps: one load
constexpr int CHUNK_PAIRS = CHUNK_STEPS / 2;

DEVICE int ceil_divide(int a, int b) { return (a + b - 1) / b; }

// The columns of a matrix in units of W, and how they are cut into ranges.
template <class W>
struct Cut {
  int units;
  int rangeUnits;

  DEVICE explicit Cut(int columns) {
    constexpr int unitColumns = W::UNIT_CHUNKS * CHUNK;
    units = ceil_divide(columns, unitColumns);
    rangeUnits = ceil_divide(columns, RANGE * RANGES_MAX) * (RANGE / unitColumns);
  }
  DEVICE int ranges() const { return ceil_divide(units, rangeUnits); }
  DEVICE uint32_t tileBytes() const { return static_cast<uint32_t>(units) * W::UNIT_BYTES; }
};

DEVICE void finish(const MatmulParams &p, int token, int row, float sum) {
  if (p.bias != nullptr) sum += p.bias[row];
  float *to = p.out + static_cast<size_t>(token) * p.outStride + row;
  *to = p.adds ? *to + sum : sum;
}

// One warp's weights of TILES row tiles: a unit in registers, the next one on its way into the same registers piece by piece.
template <class W, int TILES>
struct Stream {
  static constexpr int PIECES = W::UNIT_CHUNKS * CHUNK_STEPS / W::PIECE_STEPS;

  const uint8_t *unit;
  uint32_t tileBytes;  // between tiles
  int lane;
  typename W::Piece pieces[TILES][PIECES];
  typename W::Header headers[TILES];
  typename W::Scales scales[TILES];

  // From unit `first` of row tile `tile` on; where the matrix ends before the last tile, that is another one again.
  DEVICE Stream(const MatmulParams &p, const Cut<W> &cut, int tile, int first) {
    lane = threadIdx.x % WARP;
    const int tiles = ceil_divide(p.rows, TILE_ROWS);
    tileBytes = tile + TILES <= tiles ? cut.tileBytes() : 0;
    unit = static_cast<const uint8_t *>(p.weights) + static_cast<size_t>(tile) * cut.tileBytes() + first * W::UNIT_BYTES;
#pragma unroll
    for (int i = 0; i < TILES; i++) {
      W::load_header(headers[i], unit + i * tileBytes, lane);
#pragma unroll
      for (int piece = 0; piece < PIECES; piece++) W::load(pieces[i][piece], unit + i * tileBytes, piece, lane);
    }
  }

  // Scales of the unit that has been loaded; then `unit` is the next one.
  DEVICE void next(bool is_last) {
#pragma unroll
    for (int i = 0; i < TILES; i++) W::prepare(scales[i], headers[i], lane);
    unit += W::UNIT_BYTES;
#pragma unroll
    for (int i = 0; i < TILES; i++) {
      if (!is_last) W::load_header(headers[i], unit + i * tileBytes, lane);
    }
  }

  // A fragments of two steps of the unit; behind a piece's last ones the next unit's piece is loaded.
  DEVICE void fragments(uint32_t (&a)[2][TILES][4], int pair, bool is_last) {
    const int piece = pair * 2 / W::PIECE_STEPS;
#pragma unroll
    for (int i = 0; i < TILES; i++) {
#pragma unroll
      for (int s = 0; s < 2; s++) W::fragment(a[s][i], pieces[i][piece], scales[i], pair * 2 + s);
    }
    if ((pair + 1) * 2 % W::PIECE_STEPS == 0 && !is_last) {
#pragma unroll
      for (int i = 0; i < TILES; i++) W::load(pieces[i][piece], unit + i * tileBytes, piece, lane);
    }
  }
};

// ---- Decode

// One warp's activations of GROUPS x 8 tokens, one load ahead. Tokens beyond the last are the last one again.
template <class W, int GROUPS>
struct Inputs {
  const uint16_t *x;
  int rows[GROUPS];  // where each token's begins, elements
  int columns;
  int column;  // the lane's first one of a chunk
  uint32_t words[2][GROUPS][4];

  DEVICE Inputs(const MatmulParams &p, int firstToken) {
    const int lane = threadIdx.x % WARP;
    x = p.x;
    columns = p.columns;
    column = lane % 4 * LANE_COLUMNS;
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
      rows[i] = min(firstToken + i * TOKENS + lane / 4, p.tokens - 1) * p.columns;
    }
  }

  // Zeros beyond the last column.
  DEVICE void load(int to, int chunk, int pair) {
    const int from = chunk * CHUNK + column;
    const bool isThere = W::UNIT_CHUNKS * CHUNK == RANGE || from < columns;
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
      uint4 four = make_uint4(0, 0, 0, 0);
      if (isThere) four = *reinterpret_cast<const uint4 *>(x + (rows[i] + from + pair * PAIR_COLUMNS));
      words[to][i][0] = four.x;
      words[to][i][1] = four.y;
      words[to][i][2] = four.z;
      words[to][i][3] = four.w;
    }
  }
};

// sum += units [first, last) of the row tiles from `tile` on, by one warp.
template <class W, int GROUPS, int TILES>
DEVICE void multiply_range(float (&sum)[TILES][GROUPS][4], const MatmulParams &p, const Cut<W> &cut, int tile, int first,
                           int last, int firstToken) {
  constexpr int unitPairs = W::UNIT_CHUNKS * CHUNK_PAIRS;
  Stream<W, TILES> stream(p, cut, tile, first);
  Inputs<W, GROUPS> x(p, firstToken);
  x.load(0, first * W::UNIT_CHUNKS, 0);
#pragma unroll 1
  for (int unit = first; unit < last; unit++) {
    const bool isLast = unit + 1 == last;
    stream.next(isLast);
#pragma unroll
    for (int pair = 0; pair < unitPairs; pair++) {
      const int ahead = pair + 1;
      if (ahead < unitPairs || !isLast) {
        x.load(ahead % 2, unit * W::UNIT_CHUNKS + ahead / CHUNK_PAIRS, ahead % CHUNK_PAIRS);
      }
      uint32_t a[2][TILES][4];
      stream.fragments(a, pair, isLast);
#pragma unroll
      for (int s = 0; s < 2; s++) {
#pragma unroll
        for (int i = 0; i < GROUPS; i++) {
#pragma unroll
          for (int r = 0; r < TILES; r++) mma_bf16(sum[r][i], a[s][r], x.words[pair % 2][i] + 2 * s);
        }
      }
    }
  }
}

// Adds up the ranges of one row tile for each slot and writes their rows; `partial` is [slot][range][GROUPS][4][32 lanes].
template <int GROUPS>
DEVICE void add_ranges(const MatmulParams &p, const float *partial, int slots, int ranges, int firstTile, int tileStride,
                       int firstToken) {
  for (int at = threadIdx.x; at < slots * TILE_ROWS * GROUPS * TOKENS; at += blockDim.x) {
    const int rowInTile = at % TILE_ROWS;
    const int slot = at / TILE_ROWS % slots;
    const int tokenInBlock = at / TILE_ROWS / slots;
    const int row = (firstTile + slot * tileStride) * TILE_ROWS + rowInTile;
    const int token = firstToken + tokenInBlock;
    if (row >= p.rows || token >= p.tokens) continue;
    const int lane = rowInTile % 8 * 4 + tokenInBlock % TOKENS / 2;
    const int element = tokenInBlock / TOKENS * 4 + rowInTile / 8 * 2 + tokenInBlock % 2;
    float sum = 0;
    for (int range = 0; range < ranges; range++) {
      sum += partial[((slot * ranges + range) * GROUPS * 4 + element) * WARP + lane];
    }
    finish(p, token, row, sum);
  }
}

template <class W, int GROUPS>
DEVICE void decode(const MatmulParams &p) {
  constexpr int TILES = GROUPS == 1 ? 1 : 2;
  SHARED_MEMORY(float, partial);
  const Cut<W> cut(p.columns);
  const int ranges = cut.ranges();
  const int slots = static_cast<int>(blockDim.x) / WARP / ranges;
  const int warp = threadIdx.x / WARP;
  const int firstTile = blockIdx.x * slots * TILES;
  const int firstToken = blockIdx.y * GROUPS * TOKENS;
  const int tile = firstTile + warp / ranges * TILES;
  float sum[TILES][GROUPS][4] = {};
  if (tile * TILE_ROWS < p.rows) {
    const int first = warp % ranges * cut.rangeUnits;
    multiply_range<W, GROUPS, TILES>(sum, p, cut, tile, first, min(first + cut.rangeUnits, cut.units), firstToken);
  }
#pragma unroll
  for (int r = 0; r < TILES; r++) {
    if (r > 0) __syncthreads();
#pragma unroll
    for (int i = 0; i < GROUPS * 4; i++) {
      partial[(warp * GROUPS * 4 + i) * WARP + threadIdx.x % WARP] = sum[r][i / 4][i % 4];
    }
    __syncthreads();
    add_ranges<GROUPS>(p, partial, slots, ranges, firstTile + r, TILES, firstToken);
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

DEVICE void copy_chunk(uint4 *stage, const MatmulParams &p, int firstToken, int chunk) {
#pragma unroll
  for (int i = 0; i < PREFILL_TOKENS * ROW_PIECES / (PREFILL_WARPS * WARP); i++) {
    const int at = threadIdx.x + i * PREFILL_WARPS * WARP;
    const int token = at / ROW_PIECES;
    const int piece = at % ROW_PIECES;
    const int column = chunk * CHUNK + piece % 4 * LANE_COLUMNS + piece / 4 * PAIR_COLUMNS;
    const size_t row = min(firstToken + token, p.tokens - 1);
    async_copy16_or_zero(stage + place_of(token, piece), p.x + row * p.columns + column, column < p.columns);
  }
}

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

template <class W>
DEVICE void multiply_tile(float (&sum)[PREFILL_TILES][PREFILL_GROUPS][4], const MatmulParams &p, int tile,
                          int firstToken) {
  SHARED_MEMORY(uint4, stages);
  float *totals = reinterpret_cast<float *>(stages + STAGES * STAGE_PIECES) + threadIdx.x;
  const Cut<W> cut(p.columns);
  const int chunks = cut.units * W::UNIT_CHUNKS;
  Stream<W, PREFILL_TILES> stream(p, cut, tile, 0);
  for (int chunk = 0; chunk < STAGES - 1; chunk++) {
    if (chunk < chunks) copy_chunk(stages + chunk * STAGE_PIECES, p, firstToken, chunk);
    async_commit();
  }
  int stage = 0;
  int rangeEnd = cut.rangeUnits;
#pragma unroll 1
  for (int unit = 0; unit < cut.units; unit++) {
    const bool isLast = unit + 1 == cut.units;
    stream.next(isLast);
#pragma unroll
    for (int pair = 0; pair < W::UNIT_CHUNKS * CHUNK_PAIRS; pair++) {
      if (pair % CHUNK_PAIRS == 0) {
        async_wait<STAGES - 2>();
        __syncthreads();  // This chunk is there for all, and all have done with the stage that is filled next.
        const int ahead = unit * W::UNIT_CHUNKS + pair / CHUNK_PAIRS + STAGES - 1;
        const int free = stage == 0 ? STAGES - 1 : stage - 1;
        if (ahead < chunks) copy_chunk(stages + free * STAGE_PIECES, p, firstToken, ahead);
        async_commit();
      }
      uint32_t a[2][PREFILL_TILES][4];
      stream.fragments(a, pair, isLast);
      multiply_stage<PREFILL_TILES>(sum, a, stages + stage * STAGE_PIECES, pair % CHUNK_PAIRS);
      if (pair % CHUNK_PAIRS == CHUNK_PAIRS - 1) stage = stage == STAGES - 1 ? 0 : stage + 1;
    }
    if (unit + 1 == rangeEnd || isLast) {
      end_range<PREFILL_TILES>(sum, totals, rangeEnd == cut.rangeUnits, isLast);
      rangeEnd += cut.rangeUnits;
    }
  }
}

template <class W>
DEVICE void prefill(const MatmulParams &p) {
  const int lane = threadIdx.x % WARP;
  const int firstToken = blockIdx.x * PREFILL_TOKENS;
  const int tile = (blockIdx.y * PREFILL_WARPS + threadIdx.x / WARP) * PREFILL_TILES;
  const int lastTile = ceil_divide(p.rows, TILE_ROWS) - 1;
  float sum[PREFILL_TILES][PREFILL_GROUPS][4] = {};
  multiply_tile<W>(sum, p, min(tile, lastTile), firstToken);
#pragma unroll
  for (int r = 0; r < PREFILL_TILES; r++) {
#pragma unroll
    for (int i = 0; i < PREFILL_GROUPS * 4; i++) {
      const int row = (tile + r) * TILE_ROWS + lane / 4 + i % 4 / 2 * 8;
      const int token = firstToken + i / 4 * TOKENS + lane % 4 * 2 + i % 2;
      if (row < p.rows && token < p.tokens) finish(p, token, row, sum[r][i / 4][i % 4]);
    }
  }
}

#define MATMUL_KERNELS(type, W)                                                             \
  KERNEL_RESIDENT(matmul_##type##_decode_8, 256, 3, MatmulParams) { decode<W, 1>(p); }      \
  KERNEL_RESIDENT(matmul_##type##_decode_16, 256, 2, MatmulParams) { decode<W, 2>(p); }     \
  KERNEL(matmul_##type##_decode_32, 256, MatmulParams) { decode<W, 4>(p); }                 \
  KERNEL(matmul_##type##_decode_64, 256, MatmulParams) { decode<W, 8>(p); }                 \
  KERNEL_RESIDENT(matmul_##type##_prefill, 128, 2, MatmulParams) { prefill<W>(p); }

MATMUL_KERNELS(bf16, Bf16Weights)
MATMUL_KERNELS(q8_0, Q8_0Weights)
MATMUL_KERNELS(q4_k, Q4_KWeights)
MATMUL_KERNELS(q6_k, Q6_KWeights)
