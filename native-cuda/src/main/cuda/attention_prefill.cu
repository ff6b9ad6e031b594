// Attention of many query tokens of a sequence: a block of threads walks the splits and merges each at its end.
//
// attention_prefill_{32,64,96,128,256}: grid (tiles, key/value heads); AttentionTile.split is not read.
#include "attention.h"

template <typename Shape, int ROW_TILES, int PARTS>
DEVICE void attention_prefill(const AttentionParams &p) {
  SHARED_MEMORY(uint16_t, shared);
  Shape own(p, p.tiles[blockIdx.x], shared);
  float total[ROW_TILES][PARTS][4];
  AttentionState states[ROW_TILES][2];
#pragma unroll
  for (int m = 0; m < ROW_TILES; m++) {
    states[m][0] = states[m][1] = {-INFINITY, 0.f};
#pragma unroll
    for (int i = 0; i < 4 * PARTS; i++) total[m][i / 4][i % 4] = 0;
  }
  own.begin(own.seen.low, own.seen.end);
  for (int kvTile = own.tileFrom; kvTile < own.tileTo;) {
    own.take_tile(kvTile++);
    if (kvTile < own.tileTo && kvTile % (ATTENTION_SPLIT / ATTENTION_KV_TILE) != 0) continue;
    own.end_split();
#pragma unroll
    for (int i = 0; i < 2 * ROW_TILES; i++) {
      const int m = i / 2;
      const int half = i % 2;
      const float2 factors = attention_merge_states(states[m][half], {own.maxima[m][half], own.sums[m][half]});
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

// As many rows as registers and 99 KiB of shared memory allow, which is what Ada has.
#define ATTENTION_PREFILL(headSize, rowTiles, groups, slots)                                                      \
  KERNEL_RESIDENT(attention_prefill_##headSize, groups *ATTENTION_WARPS *WARP, 1, AttentionParams) {              \
    attention_prefill<Attention<headSize, rowTiles, groups, slots>, rowTiles, headSize / 8 / ATTENTION_WARPS>(p); \
  }

ATTENTION_PREFILL(32, 4, 2, 4)
ATTENTION_PREFILL(64, 4, 2, 4)
ATTENTION_PREFILL(96, 4, 2, 4)
ATTENTION_PREFILL(128, 4, 2, 3)
ATTENTION_PREFILL(256, 2, 1, 2)
