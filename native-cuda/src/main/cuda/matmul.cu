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
// blocks for the device (rows >= 16384), because a decode block reads all activations for 32 rows. MatmulShape.java has this.
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

// One warp's weights of TILES row tiles: a unit in registers, the next one on its way into the same registers piece by piece. The
// last piece is loaded when its own unit begins: a load behind its last use, at the end of a loop, would be moved up by the
// compiler into other registers and waited for.
template <class W, int TILES>
struct Stream {
  static constexpr int PIECES = W::UNIT_CHUNKS * CHUNK_STEPS / W::PIECE_STEPS;

  const uint8_t *place;  // the lane's, in the unit that is loaded
  uint32_t tileBytes;    // between tiles
  int lane;
  typename W::Piece pieces[TILES][PIECES];
  typename W::Header headers[TILES];
  typename W::Scales scales[TILES];

  // From unit `first` of row tile `tile` on; where the matrix ends before the last tile, that is another one again.
  DEVICE Stream(const MatmulParams &p, const Cut<W> &cut, int tile, int first) : pieces(), headers() {
    lane = threadIdx.x % WARP;
    const int tiles = ceil_divide(p.rows, TILE_ROWS);
    tileBytes = tile + TILES <= tiles ? cut.tileBytes() : 0;
    const size_t bytes = static_cast<size_t>(tile) * cut.tileBytes() + first * W::UNIT_BYTES;
    place = static_cast<const uint8_t *>(p.weights) + bytes + lane * 16;
    load_headers(true);
#pragma unroll
    for (int piece = 0; piece < PIECES - 1; piece++) load_piece(piece, true);
  }

  DEVICE void load_headers(bool isThere) {
#pragma unroll
    for (int i = 0; i < TILES; i++) W::load_header(headers[i], place + i * tileBytes, lane, isThere);
  }

  DEVICE void load_piece(int piece, bool isThere) {
#pragma unroll
    for (int i = 0; i < TILES; i++) W::load_piece(pieces[i][piece], place + i * tileBytes, piece, isThere);
  }

  // Scales of a chunk of the unit that has been loaded; loads behind it are those of the next unit.
  DEVICE void begin(int chunk, bool isLast) {
    if (chunk == 0) {
      load_piece(PIECES - 1, true);
      place += W::UNIT_BYTES;
    }
#pragma unroll
    for (int i = 0; i < TILES; i++) W::prepare(scales[i], headers[i], chunk, lane);
    if (chunk == W::UNIT_CHUNKS - 1) load_headers(!isLast);
  }

  // A fragments of two steps of the unit; behind a piece's last ones the next unit's piece is loaded.
  DEVICE void fragments(uint32_t (&a)[2][TILES][4], int pair, bool isLast) {
    const int piece = pair * 2 / W::PIECE_STEPS;
#pragma unroll
    for (int i = 0; i < TILES; i++) {
#pragma unroll
      for (int s = 0; s < 2; s++) W::fragment(a[s][i], pieces[i][piece], scales[i], pair * 2 + s);
    }
    if ((pair + 1) * 2 % W::PIECE_STEPS == 0 && piece < PIECES - 1) load_piece(piece, !isLast);
  }
};

// The columns of a lane's activations in a chunk begin here. Where the matrix has none left, weights are zeros, and what is
// multiplied by them is the token's own: lane 0's columns.
template <class W>
DEVICE int lane_column(const MatmulParams &p, int chunk, int t) {
  const int column = chunk * CHUNK + t * LANE_COLUMNS;
  return W::UNIT_CHUNKS * CHUNK == RANGE || column < p.columns ? column : chunk * CHUNK;
}

// ---- Decode

// One warp's activations of GROUPS x 8 tokens, of two steps. Tokens beyond the last are the last one again.
template <class W, int GROUPS>
struct Inputs {
  int rows[GROUPS];  // where each token's begins, elements
  uint32_t words[GROUPS][4];

  DEVICE Inputs(const MatmulParams &p, int firstToken, int chunk) {
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
      const int token = firstToken + i * TOKENS + static_cast<int>(threadIdx.x) % WARP / 4;
      rows[i] = min(token, p.tokens - 1) * p.columns;
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
template <class W, int GROUPS, int TILES>
DEVICE void multiply_range(float (&sum)[TILES][GROUPS][4], const MatmulParams &p, const Cut<W> &cut, int tile, int first,
                           int last, int firstToken) {
  constexpr int unitPairs = W::UNIT_CHUNKS * CHUNK_PAIRS;
  Stream<W, TILES> stream(p, cut, tile, first);
  Inputs<W, GROUPS> x(p, firstToken, first * W::UNIT_CHUNKS);
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

// A thread copies one piece of every eighth token.
struct Copier {
  static constexpr int COPIES = PREFILL_TOKENS * ROW_PIECES / (PREFILL_WARPS * WARP);
  static constexpr int TOKENS_APART = PREFILL_TOKENS / COPIES;

  const uint16_t *from;  // the thread's first token
  uint32_t tokens;       // bit i: its token i is there
  int place;             // in a stage
  int piece;

  DEVICE Copier(const MatmulParams &p, int firstToken) {
    const int token = threadIdx.x / ROW_PIECES;
    piece = threadIdx.x % ROW_PIECES;
    place = place_of(token, piece);
    from = p.x + static_cast<size_t>(firstToken + token) * p.columns;
    tokens = 0;
#pragma unroll
    for (int i = 0; i < COPIES; i++) {
      if (firstToken + token + i * TOKENS_APART < p.tokens) tokens |= 1u << i;
    }
  }

  // Zeros for tokens beyond the last.
  template <class W>
  DEVICE void copy(uint4 *stage, const MatmulParams &p, int chunk) const {
    const uint16_t *chunkFrom = from + lane_column<W>(p, chunk, piece % 4) + piece / 4 * PAIR_COLUMNS;
#pragma unroll
    for (int i = 0; i < COPIES; i++) {
      async_copy16_or_zero(stage + place + i * TOKENS_APART * ROW_PIECES, chunkFrom + i * TOKENS_APART * p.columns,
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

template <class W>
DEVICE void multiply_tile(float (&sum)[PREFILL_TILES][PREFILL_GROUPS][4], const MatmulParams &p, int tile,
                          int firstToken) {
  SHARED_MEMORY(uint4, stages);
  float *totals = reinterpret_cast<float *>(stages + STAGES * STAGE_PIECES) + threadIdx.x;
  const Cut<W> cut(p.columns);
  const int chunks = cut.units * W::UNIT_CHUNKS;
  Stream<W, PREFILL_TILES> stream(p, cut, tile, 0);
  const Copier copier(p, firstToken);
  for (int chunk = 0; chunk < STAGES - 1; chunk++) {
    if (chunk < chunks) copier.copy<W>(stages + chunk * STAGE_PIECES, p, chunk);
    async_commit();
  }
  int stage = 0;
  int rangeEnd = cut.rangeUnits;
#pragma unroll 1
  for (int unit = 0; unit < cut.units; unit++) {
    const bool isLast = unit + 1 == cut.units;
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
