// Attention of many query tokens of a sequence: a block of threads walks the splits and merges each at its end.
//
// attention_prefill_{32,64,96,128,128_narrow,256}: grid (tiles, key/value heads); AttentionTile.split is not read.
//
// attention_prefill_{64,128,128_narrow}_free: the same without splits, to measure what they cost.
#include "attention.h"

// SPLIT: positions, or 0 for one split of all.
template <typename Shape, int SPLIT>
DEVICE void attention_prefill(const AttentionParams &p) {
  constexpr int ROW_TILES = Shape::ROW_TILES;
  constexpr int PARTS = Shape::PARTS;
  SHARED_MEMORY(uint16_t, shared);
  Attention<Shape> own(p, p.tiles[blockIdx.x], shared);
  float total[ROW_TILES][PARTS][4];
  AttentionState states[ROW_TILES][2];
#pragma unroll
  for (int i = 0; i < 2 * ROW_TILES; i++) states[i / 2][i % 2] = {-INFINITY, 0.f};
#pragma unroll
  for (int i = 0; i < ROW_TILES * PARTS * 4; i++) total[i / (PARTS * 4)][i / 4 % PARTS][i % 4] = 0;
  own.begin(own.seen.low, own.seen.end);
  for (int kvTile = own.tileFrom; kvTile < own.tileTo;) {
    own.take_tile(kvTile++);
    if (kvTile < own.tileTo && (SPLIT == 0 || kvTile % max(SPLIT / ATTENTION_KV_TILE, 1) != 0)) continue;
    AttentionState ofSplit[ROW_TILES][2];
    own.end_split(ofSplit);
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      const int m = i / 2;
      const int half = i % 2;
      const float2 factors = attention_merge_states(states[m][half], ofSplit[m][half]);
#pragma unroll
      for (int n = 0; n < PARTS; n++) {
        float *pair = total[m][n] + half * 2;
        pair[0] = attention_merge_values(pair[0], own.values[m][n][half * 2], factors);
        pair[1] = attention_merge_values(pair[1], own.values[m][n][half * 2 + 1], factors);
      }
    }
    own.begin_split();
  }
  own.write_out(total, states);
}

#define ATTENTION_PREFILL(name, split, blocks, headSize, rowTiles, groups, warps, slots) \
  KERNEL_RESIDENT(name, groups *warps *WARP, blocks, AttentionParams) {           \
    attention_prefill<AttentionShape<headSize, rowTiles, groups, warps, slots>, split>(p); \
  }

// 128 rows where registers suffice. All but attention_prefill_128 need at most 99 KiB of shared memory, which is what
// Ada has.
ATTENTION_PREFILL(attention_prefill_32, ATTENTION_SPLIT, 2, 32, 2, 4, 2, 4)
ATTENTION_PREFILL(attention_prefill_64, ATTENTION_SPLIT, 1, 64, 2, 4, 2, 4)
ATTENTION_PREFILL(attention_prefill_96, ATTENTION_SPLIT, 1, 96, 2, 4, 2, 4)
ATTENTION_PREFILL(attention_prefill_128, ATTENTION_SPLIT, 1, 128, 2, 4, 2, 4)
ATTENTION_PREFILL(attention_prefill_128_narrow, ATTENTION_SPLIT, 1, 128, 2, 2, 2, 4)
ATTENTION_PREFILL(attention_prefill_256, ATTENTION_SPLIT, 1, 256, 2, 1, 4, 2)
ATTENTION_PREFILL(attention_prefill_64_free, 0, 1, 64, 2, 4, 2, 4)
ATTENTION_PREFILL(attention_prefill_128_free, 0, 1, 128, 2, 4, 2, 4)
ATTENTION_PREFILL(attention_prefill_128_narrow_free, 0, 1, 128, 2, 2, 2, 4)
