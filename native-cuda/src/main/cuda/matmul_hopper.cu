// Matrix products of family cuda-mma-1 for prompts, on compute capability 9.0: the program of matmul.cu, by the matrix
// instruction of a warpgroup. The device is asked once whether that gives the bits of mma.m16n8k16 (WgmmaProbe.java).
//
// Activations are packed before, once for all products of an input: what a stage holds lies together, as the instruction
// reads it.
//
//   packed  [token tile 256][group of 32 columns][token][4 pieces of 16 bytes]      16384 bytes a stage
//   a group is 2 of the 8 steps of a chunk (weights.h); piece 2 s + h of its step s, which is step j of the chunk, holds
//   columns 32 t + 4 j + 2 h + {0, 1}, for t = 0..3; it lies at (2 s + h) ^ (token / 2 % 4), the swizzle of 64 bytes.
//
// pack_tokens: 256 threads                          grid = chunks of 128 columns, ceil(tokens / 256) * 16
// wgmma: 128 rows x 256 tokens a block; two warpgroups multiply, 64 rows each, a warp of the third fills the ring of stages
//     threads = 384                                 grid = ceil(tokens / 256), ceil(rows / 128)
//     shared  = 1024 to align + 8 * 16384 for the stages + 96 * 1024 for sums of the ranges behind + 192 for barriers
//
// A warpgroup takes a group's 2 steps as one batch of instructions: while they run, it dequantises the next group's weights
// into other registers. Weights go from memory to registers as they lie, activations by one bulk copy a stage, both ahead.
// The first warpgroup is three groups ahead, so that at a range's end, when a warpgroup adds up, the other has the units.
//
// What to expect, counted from the machine code of sm_90a and the vendor's numbers, and not measured. The units of a
// multiprocessor take 2048 products a clock, a step of a warpgroup 128 clocks, a block's chunk 2048. In these
//   issue          21 (bf16), 40 (q8_0), 30 (q4_k), 40 (q6_k) instructions a warp's step, two warps a scheduler: a third of it
//   L2             a block reads 96, 81, 73, 77 KB: 47 to 36 bytes a clock. Published readings of an H100's L2 are 30 to 39 a
//                  multiprocessor, so this comes first: 0.64 to 0.83 of the units' rate in bf16
//   shared memory  64 bytes a clock to the units, 32 from the copies, and 192 KB a range for sums: 24 at 4096 columns, whose
//                  ranges are 512 long, 7 at 14336; of 128
//   range's end    a warpgroup's 96 KB are 768 clocks, the other's lead three groups, 768 clocks
//   registers      240 of a multiplying thread, 24 of others; nothing spills; one block a multiprocessor
// A wave of blocks of 4096 columns is 65536 clocks, its first copies some 1500, its results 128 KB a block, some 5000. With
// 2048 tokens and 4096 rows there are 256 blocks, 1.94 of 2 waves of an H200: 0.60 to 0.65 of the dense rate in all, more for
// longer columns. Next, if L2 is what bounds: two blocks of a cluster that share their activations by multicast, 31 bytes.
#include "hopper.h"
#include "matmul.h"

using namespace matmul;

constexpr int GROUP_STEPS = 2;
constexpr int GROUP_COLUMNS = 16 * GROUP_STEPS;
constexpr int CHUNK_GROUPS = CHUNK / GROUP_COLUMNS;
constexpr int TOKEN_BYTES = 2 * GROUP_COLUMNS;  // of a stage
constexpr int STAGE_BYTES = WGMMA_TOKENS * TOKEN_BYTES;
constexpr int STAGES = 8;
constexpr int PIECES = TOKEN_BYTES / 16;
constexpr int MULTIPLIERS = 8;  // warps
constexpr int BLOCK_THREADS = (MULTIPLIERS + 4) * WARP;
constexpr int FILLING_REGISTERS = 24;  // of a thread; the kernel begins with 168, and all have 65536
constexpr int MULTIPLYING_REGISTERS = 240;

// ---- Packing

constexpr int PACK_THREADS = 256;
constexpr int PACK_TOKENS = PACK_THREADS / (CHUNK_GROUPS * PIECES);

// A thread makes one piece of four words; tokens beyond the last are zeros. Columns beyond the last are, as in matmul.cu,
// those of lane 0: their weights are zeros.
KERNEL(pack_tokens, PACK_THREADS, PackParams) {
  const int place = threadIdx.x % PIECES;
  const int token = blockIdx.y * PACK_TOKENS + threadIdx.x / PIECES % PACK_TOKENS;
  const int group = threadIdx.x / (PIECES * PACK_TOKENS);
  const int piece = place ^ token / 2 % PIECES;
  const int chunk = blockIdx.x * CHUNK;
  const int ofLane = (group * GROUP_STEPS + piece / 2) * 4 + piece % 2 * 2;
  uint32_t words[4] = {};
  if (token < p.tokens) {
    const uint16_t *from = p.x + static_cast<size_t>(token) * p.columns;
#pragma unroll
    for (int t = 0; t < 4; t++) {
      const int first = chunk + t * LANE_COLUMNS;
      words[t] = *reinterpret_cast<const uint32_t *>(from + (first < p.columns ? first : chunk) + ofLane);
    }
  }
  const size_t stage = (static_cast<size_t>(token / WGMMA_TOKENS) * gridDim.x + blockIdx.x) * CHUNK_GROUPS + group;
  uint4 *to = static_cast<uint4 *>(p.to) + (stage * WGMMA_TOKENS + token % WGMMA_TOKENS) * PIECES + place;
  *to = make_uint4(words[0], words[1], words[2], words[3]);
}

// ---- Products

#ifdef STATOR_HOPPER

constexpr int SUM_QUADS = WGMMA_SUMS / 4;
constexpr int KEPT_QUADS = 8;   // whose sums of the ranges behind stay in registers
constexpr int AHEAD_GROUPS = 3;  // that the first warpgroup is ahead of the second

// What a block has in shared memory.
struct Room {
  uint8_t *stages;  // [STAGES][STAGE_BYTES], aligned to 1024
  float4 *totals;   // [SUM_QUADS - KEPT_QUADS][multiplying threads]: sums of the ranges behind, a thread's own
  uint64_t *full;   // [STAGES]: a stage has come
  uint64_t *empty;  // [STAGES]: all warps have done with it
  uint64_t *ahead;  // the first warpgroup has a lead

  DEVICE explicit Room(uint8_t *shared) {
    stages = shared + (-shared_address(shared) & 1023);
    totals = reinterpret_cast<float4 *>(stages + STAGES * STAGE_BYTES);
    full = reinterpret_cast<uint64_t *>(totals + (SUM_QUADS - KEPT_QUADS) * MULTIPLIERS * WARP);
    empty = full + STAGES;
    ahead = empty + STAGES;
  }
};

// Which stage is next, and its phase.
struct Turn {
  int stage = 0;
  uint32_t parity = 0;

  DEVICE void advance() {
    stage++;
    if (stage < STAGES) return;
    stage = 0;
    parity ^= 1;
  }
};

// One warp: fills the stages, group after group.
DEVICE void fill_stages(const MatmulParams &p, const Room &room, int groups) {
  const size_t tile = static_cast<size_t>(blockIdx.x) * groups * STAGE_BYTES;
  const uint8_t *from = reinterpret_cast<const uint8_t *>(p.x) + tile;
  Turn turn;
  for (int group = 0; group < groups; group++) {
    mbarrier_wait(room.empty + turn.stage, turn.parity ^ 1);
    if (threadIdx.x % WARP == 0) {
      uint64_t *full = room.full + turn.stage;
      mbarrier_expect(full, STAGE_BYTES);
      bulk_copy(room.stages + turn.stage * STAGE_BYTES, from, STAGE_BYTES, full);
    }
    warp_sync();
    from += STAGE_BYTES;
    turn.advance();
  }
}

// A warp has done with what `barrier` stands for.
DEVICE void arrive(uint64_t *barrier) {
  if (threadIdx.x % WARP == 0) mbarrier_arrive(barrier);
}

// sum += the ranges before it; but for the last range that is kept, and sum = 0.
DEVICE void end_range(float (&sum)[WGMMA_SUMS], float4 (&kept)[KEPT_QUADS], float4 *totals, bool isFirst, bool isLast) {
#pragma unroll
  for (int i = 0; i < SUM_QUADS; i++) {
    float4 &total = i < KEPT_QUADS ? kept[i] : totals[(i - KEPT_QUADS) * MULTIPLIERS * WARP];
    const float4 before = isFirst ? make_float4(0, 0, 0, 0) : total;
    sum[4 * i] = before.x + sum[4 * i];
    sum[4 * i + 1] = before.y + sum[4 * i + 1];
    sum[4 * i + 2] = before.z + sum[4 * i + 2];
    sum[4 * i + 3] = before.w + sum[4 * i + 3];
    if (isLast) continue;
    total = make_float4(sum[4 * i], sum[4 * i + 1], sum[4 * i + 2], sum[4 * i + 3]);
#pragma unroll
    for (int j = 0; j < 4; j++) sum[4 * i + j] = 0;
  }
}

// sum = the products of row tile `tile`, by one warp of a warpgroup.
template <class Cut>
DEVICE void multiply_tiles(float (&sum)[WGMMA_SUMS], const MatmulParams &p, const Cut &cut, const Room &room, int tile) {
  using W = typename Cut::W;
  constexpr int unitGroups = W::UNIT_CHUNKS * CHUNK_GROUPS;
  static_assert(unitGroups > AHEAD_GROUPS && STAGES > AHEAD_GROUPS, "the lead is there in the first unit");
  const bool isFirstGroup = threadIdx.x / WARP < MULTIPLIERS / 2;
  Stream<W, 1> stream(p, cut, 0, tile, 0);
  uint32_t a[2][2][1][4];  // of this group and the one before
  float4 kept[KEPT_QUADS] = {};
  Turn turn;
  int before = 0;  // the stage of the group before
  int unit = 0;
  if (!isFirstGroup) mbarrier_wait(room.ahead, 0);
#pragma unroll 1
  for (int end = min(cut.rangeUnits, cut.units);; end = min(end + cut.rangeUnits, cut.units)) {
    const int first = unit;
#pragma unroll 1
    for (; unit < end; unit++) {
      const bool isLast = unit + 1 == cut.units;
#pragma unroll
      for (int group = 0; group < unitGroups; group++) {
        if (group % CHUNK_GROUPS == 0) stream.begin(group / CHUNK_GROUPS, isLast);
        stream.fragments(a[group % 2], group, isLast);
        for (int s = 0; s < 2; s++) wgmma_own(a[group % 2][s][0]);
        mbarrier_wait(room.full + turn.stage, turn.parity);
        const uint64_t b = wgmma_descriptor(shared_address(room.stages + turn.stage * STAGE_BYTES));
        wgmma_fence();
#pragma unroll
        for (int s = 0; s < GROUP_STEPS; s++) wgmma_bf16(sum, a[group % 2][s][0], b + 2 * s);
        wgmma_commit();
        wgmma_wait<1>();
        if (group > 0 || unit > first) arrive(room.empty + before);
        if (group == AHEAD_GROUPS && unit == 0 && isFirstGroup) arrive(room.ahead);
        before = turn.stage;
        turn.advance();
      }
    }
    wgmma_wait<0>();
    arrive(room.empty + before);
    end_range(sum, kept, room.totals + threadIdx.x, first == 0, unit == cut.units);
    if (unit == cut.units) return;
  }
}

template <class Cut, class Params>
DEVICE void multiply(const Params &params) {
  const MatmulParams &p = product_of(params);
  SHARED_MEMORY(uint8_t, shared);
  const Room room(shared);
  if (threadIdx.x == 0) {
    for (int i = 0; i < STAGES; i++) {
      mbarrier_init(room.full + i, 1);
      mbarrier_init(room.empty + i, MULTIPLIERS);
    }
    mbarrier_init(room.ahead, MULTIPLIERS / 2);
    mbarrier_fence();
  }
  __syncthreads();
  const Cut cut(params);
  const int warp = threadIdx.x / WARP;
  if (warp >= MULTIPLIERS) {
    keep_registers<FILLING_REGISTERS>();
    if (warp == MULTIPLIERS) fill_stages(p, room, cut.units * Cut::W::UNIT_CHUNKS * CHUNK_GROUPS);
  } else {
    take_registers<MULTIPLYING_REGISTERS>();
    const int tile = blockIdx.y * MULTIPLIERS + warp;
    float sum[WGMMA_SUMS] = {};
    multiply_tiles(sum, p, cut, room, min(tile, ceil_divide(p.rows, TILE_ROWS) - 1));
    finish_tile<WGMMA_TOKENS / TOKENS>(p, sum, tile, blockIdx.x * WGMMA_TOKENS, p.tokens, false);
  }
}

#define WGMMA_KERNEL(name, Cut, Params) \
  KERNEL_RESIDENT(name, BLOCK_THREADS, 1, Params) { multiply<Cut>(p); }

#else

#define WGMMA_KERNEL(name, Cut, Params) \
  KERNEL(name, BLOCK_THREADS, Params) {}

#endif

WGMMA_KERNEL(matmul_bf16_wgmma, Cut<Bf16Weights>, MatmulParams)
WGMMA_KERNEL(matmul_q8_0_wgmma, Cut<Q8_0Weights>, MatmulParams)
WGMMA_KERNEL(matmul_q4_k_wgmma, Cut<Q4_KWeights>, MatmulParams)
WGMMA_KERNEL(matmul_q6_k_wgmma, Cut<Q6_KWeights>, MatmulParams)
WGMMA_KERNEL(matmul_f8_e4m3_wgmma, Cut<F8_E4M3Weights>, MatmulParams)

// Ranges as long as the launch says, in one part: what the family's cut is measured against.
WGMMA_KERNEL(matmul_bf16_free_wgmma, FreeCut<Bf16Weights>, FreeMatmulParams)
WGMMA_KERNEL(matmul_q4_k_free_wgmma, FreeCut<Q4_KWeights>, FreeMatmulParams)
