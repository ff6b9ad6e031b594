// What all matrix products share: how columns are cut into ranges, a warp's way through its weights, the last sums.
#ifndef STATOR_MATMUL_H
#define STATOR_MATMUL_H

#include "weights.h"

namespace matmul {

using namespace weights;

constexpr int TOKENS = 8;  // of one matrix instruction
constexpr int RANGE = 256;
constexpr int RANGES_MAX = 8;
constexpr int PAIR_COLUMNS = 8;  // a lane's columns of two steps: one load
constexpr int CHUNK_PAIRS = CHUNK_STEPS / 2;

DEVICE int ceil_divide(int a, int b) { return (a + b - 1) / b; }

// The columns of a matrix in units of W, and how they are cut into ranges.
template <class W_>
struct Cut {
  using W = W_;
  int units;
  int rangeUnits;

  DEVICE explicit Cut(const MatmulParams &p) {
    constexpr int unitColumns = W::UNIT_CHUNKS * CHUNK;
    units = ceil_divide(p.columns, unitColumns);
    rangeUnits = ceil_divide(p.columns, RANGE * RANGES_MAX) * (RANGE / unitColumns);
  }
  DEVICE uint32_t tileBytes() const { return static_cast<uint32_t>(units) * W::UNIT_BYTES; }

  // Of a block of threads whose place in the grid is `index`: ranges, token tile, and units [from, end).
  DEVICE int ranges() const { return ceil_divide(units, rangeUnits); }
  DEVICE int token_tile(int index) const { return index; }
  DEVICE int from(int) const { return 0; }
  DEVICE int end(int) const { return units; }
  // Whether a range that begins there is one of its ranges.
  DEVICE bool has(int, int) const { return true; }
  // Whether other blocks add to the same outputs.
  DEVICE bool is_shared() const { return false; }
};

// The same as the launch says: what the family's cut is measured against.
template <class W_>
struct FreeCut {
  using W = W_;
  int units;
  int rangeUnits;
  int blockRanges;
  int parts;

  DEVICE explicit FreeCut(const FreeMatmulParams &p)
      : units(ceil_divide(p.product.columns, W::UNIT_CHUNKS * CHUNK)),
        rangeUnits(p.rangeUnits),
        blockRanges(p.blockRanges),
        parts(p.parts) {}
  DEVICE uint32_t tileBytes() const { return static_cast<uint32_t>(units) * W::UNIT_BYTES; }
  DEVICE int ranges() const { return blockRanges; }
  DEVICE int token_tile(int index) const { return index / parts; }
  DEVICE int from(int index) const { return index % parts * blockRanges * rangeUnits; }
  DEVICE int end(int index) const { return min(from(index) + blockRanges * rangeUnits, units); }
  DEVICE bool has(int index, int first) const { return first < end(index); }
  DEVICE bool is_shared() const { return parts > 1; }
};

DEVICE const MatmulParams &product_of(const MatmulParams &p) { return p; }
DEVICE const MatmulParams &product_of(const FreeMatmulParams &p) { return p.product; }

// The tokens of a block, and the row tiles of their matrix: all tokens and the one matrix, or one of an expert's tiles.
struct Group {
  int first;     // token
  int end;       // tokens from here on are none of the block's
  int tileFrom;  // where the expert's row tiles begin

  DEVICE Group(const MatmulParams &p, int index, int tokensOfBlock) {
    if (p.tiles == nullptr) {
      first = index * tokensOfBlock;
      end = p.tokens;
      tileFrom = 0;
    } else {
      const ExpertTile tile = p.tiles[index];
      first = tile.first;
      end = tile.end;
      tileFrom = tile.expert * ceil_divide(p.rows, TILE_ROWS);
    }
  }
};

// Which row of x is a token's.
DEVICE int source_of(const MatmulParams &p, int token) { return p.sources == nullptr ? token : p.sources[token]; }

// Shared: other blocks add to the same.
DEVICE void finish(const MatmulParams &p, int token, int row, float sum, bool isShared) {
  if (p.bias != nullptr) sum += p.bias[row];
  float *to = p.out + static_cast<size_t>(token) * p.outStride + row;
  if (isShared) {
    add_in_any_order(to, sum);
  } else {
    *to = p.adds ? *to + sum : sum;
  }
}

// Writes a warp's sums of one row tile and GROUPS x 8 tokens, four a group as mma_bf16 has them. What is added to is read
// in batches: one by one, each would wait for the memory.
template <int GROUPS>
DEVICE void finish_tile(const MatmulParams &p, const float *sum, int tile, int firstToken, int tokenEnd, bool isShared) {
  constexpr int BATCH = 16;
  static_assert(GROUPS * 4 % BATCH == 0, "whole batches");
  const int lane = threadIdx.x % WARP;
  const int firstRow = tile * TILE_ROWS + lane / 4;
  float bias[2] = {};
  if (p.bias != nullptr) {
#pragma unroll
    for (int i = 0; i < 2; i++) bias[i] = p.bias[min(firstRow + 8 * i, p.rows - 1)];
  }
#pragma unroll
  for (int batch = 0; batch < GROUPS * 4; batch += BATCH) {
    float values[BATCH];
    float *to[BATCH];
#pragma unroll
    for (int i = 0; i < BATCH; i++) {
      const int at = batch + i;
      const int row = firstRow + at % 4 / 2 * 8;
      const int token = firstToken + at / 4 * TOKENS + lane % 4 * 2 + at % 2;
      const bool isThere = row < p.rows && token < tokenEnd;
      to[i] = isThere ? p.out + static_cast<size_t>(token) * p.outStride + row : nullptr;
      values[i] = p.adds && isThere && !isShared ? *to[i] : 0;
    }
#pragma unroll
    for (int i = 0; i < BATCH; i++) {
      float value = sum[batch + i];
      if (p.bias != nullptr) value += bias[i % 4 / 2];
      if (p.adds) value = values[i] + value;
      if (to[i] == nullptr) continue;
      if (isShared) {
        add_in_any_order(to[i], value);
      } else {
        *to[i] = value;
      }
    }
  }
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

  // From unit `first` of row tile `tile` on, of the matrix whose tiles begin at `tileFrom`; where it ends before the last tile,
  // that is another one again.
  template <class Cut>
  DEVICE Stream(const MatmulParams &p, const Cut &cut, int tileFrom, int tile, int first) : pieces(), headers() {
    lane = threadIdx.x % WARP;
    const int tiles = ceil_divide(p.rows, TILE_ROWS);
    tileBytes = tile + TILES <= tiles ? cut.tileBytes() : 0;
    const size_t bytes = static_cast<size_t>(tileFrom + tile) * cut.tileBytes() + first * W::UNIT_BYTES;
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

}  // namespace matmul

#endif
