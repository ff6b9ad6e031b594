// Mixtures of experts around their products, which are matmul.cu's: which experts a token goes through and with what shares,
// which tokens an expert has, and the sum of what comes back. Nothing here depends on other tokens but the slots, and a slot's
// number changes no bit of what is computed there.
#include "float_math.h"
#include "quads.h"

constexpr int EXPERTS_MAX = 512;
constexpr int LANE_EXPERTS = EXPERTS_MAX / WARP;
constexpr int COMBINE_THREADS = 256;
constexpr int ROUTE_THREADS = 128;
constexpr int GROUP_THREADS = 1024;
constexpr uint32_t EXPERT_BITS = 9;

static_assert(1 << EXPERT_BITS == EXPERTS_MAX, "each expert is a number of that many bits");

// ---- Routing: lane t of a warp has experts t, t + 32, ...

struct Best {
  float value;
  int expert;

  DEVICE void take(float other, int otherExpert) {
    if (other > value || (other == value && otherExpert < expert)) {
      value = other;
      expert = otherExpert;
    }
  }
};

DEVICE Best warp_best(Best best) {
#pragma unroll
  for (int apart = WARP / 2; apart > 0; apart /= 2) {
    const float value = warp_shuffle_xor(best.value, apart);
    best.take(value, warp_shuffle_xor(best.expert, apart));
  }
  return best;
}

// No number counts as the least there is, and so does what lies beyond the last expert, whose numbers are higher.
DEVICE void load_logits(float *to, const float *logits, int experts, int lane) {
#pragma unroll
  for (int i = 0; i < LANE_EXPERTS; i++) {
    const int expert = i * WARP + lane;
    const float value = expert < experts ? logits[expert] : -INFINITY;
    to[i] = value == value ? value : -INFINITY;
  }
}

// The largest of those that are not taken.
DEVICE Best next_best(const float *logits, uint32_t taken, int lane) {
  Best best = {-INFINITY, EXPERTS_MAX};
#pragma unroll
  for (int i = 0; i < LANE_EXPERTS; i++) {
    if ((taken >> i & 1) == 0) best.take(logits[i], i * WARP + lane);
  }
  return warp_best(best);
}

// Shares of e = exp(logit - max): sums of a lane's own in rising order, of lanes by warp_sum's tree; not chosen ones are zeros
// where the shares are of the chosen.
DEVICE void write_choices(const RouteParams &p, int64_t token, const float *logits, uint32_t taken, float max, int lane) {
  float powers[LANE_EXPERTS];
  float sum = 0;
#pragma unroll
  for (int i = 0; i < LANE_EXPERTS; i++) {
    const bool counts = i * WARP + lane < p.experts && (!p.renormalises || (taken >> i & 1) != 0);
    powers[i] = exact_exp(logits[i] - max);
    sum += counts ? powers[i] : 0.f;
  }
  sum = warp_sum(sum);
  int before = 0;  // chosen ones with lower numbers
#pragma unroll
  for (int i = 0; i < LANE_EXPERTS; i++) {
    const bool isChosen = (taken >> i & 1) != 0;
    const uint32_t chosen = warp_ballot(isChosen);
    if (isChosen) {
      const int64_t at = token * p.used + before + __popc(chosen & ((1u << lane) - 1));
      p.chosen[at] = i * WARP + lane;
      p.shares[at] = powers[i] / sum;
    }
    before += __popc(chosen);
  }
}

KERNEL(route, ROUTE_THREADS, RouteParams) {
  const int64_t token = blockIdx.x * (ROUTE_THREADS / WARP) + threadIdx.x / WARP;
  const int lane = threadIdx.x % WARP;
  if (token >= p.tokens) return;
  float logits[LANE_EXPERTS];
  load_logits(logits, p.logits + token * p.experts, p.experts, lane);
  uint32_t taken = 0;
  float max = 0;
  for (int i = 0; i < p.used; i++) {
    const Best best = next_best(logits, taken, lane);
    if (i == 0) max = best.value;
    if (best.expert % WARP == lane) taken |= 1u << (best.expert / WARP);
  }
  write_choices(p, token, logits, taken, max, lane);
}

// ---- Slots: a stable counting sort by one block. A warp has a part of the choices, in order.

// Lanes with the same expert as this one; -1 is none's.
DEVICE uint32_t peers_of(int expert) {
  uint32_t peers = warp_ballot(expert >= 0);
#pragma unroll
  for (uint32_t bit = 0; bit < EXPERT_BITS; bit++) {
    const bool isSet = (expert >> bit & 1) != 0;
    const uint32_t set = warp_ballot(isSet);
    peers &= isSet ? set : ~set;
  }
  return expert >= 0 ? peers : 0;
}

struct Part {
  int first;
  int end;

  DEVICE explicit Part(const GroupExpertsParams &p) {
    const int warps = blockDim.x / WARP;
    const int size = (p.choices + warps * WARP - 1) / (warps * WARP) * WARP;
    first = min(static_cast<int>(threadIdx.x) / WARP * size, p.choices);
    end = min(first + size, p.choices);
  }
};

// Adds the part's choices to its counts; with `takes`, each choice has its slot from there.
DEVICE void count(const GroupExpertsParams &p, int *counts, bool takes) {
  const int lane = threadIdx.x % WARP;
  const Part part(p);
  for (int from = part.first; from < part.end; from += WARP) {
    const int choice = from + lane;
    const int expert = choice < part.end ? p.chosen[choice] : -1;
    const uint32_t peers = peers_of(expert);
    const int before = __popc(peers & ((1u << lane) - 1));
    const int next = expert >= 0 ? counts[expert] : 0;
    if (expert >= 0 && takes) {
      p.slots[choice] = next + before;
      p.sources[next + before] = choice / p.used;
    }
    warp_sync();
    if (expert >= 0 && before == 0) counts[expert] = next + __popc(peers);
    warp_sync();
  }
}

DEVICE int warp_sum_before(int value, int lane) {
  int sum = value;
#pragma unroll
  for (int apart = 1; apart < WARP; apart *= 2) {
    const int other = warp_shuffle(sum, max(lane - apart, 0));
    if (lane >= apart) sum += other;
  }
  return sum - value;
}

// Where each expert's slots begin, from how many there are, and its tiles; by one warp.
DEVICE void start_experts(const GroupExpertsParams &p, int *starts, int lane) {
  int start = 0;
  int tile = 0;
  for (int first = 0; first < p.experts; first += WARP) {
    const int expert = first + lane;
    const int own = expert < p.experts ? starts[expert] : 0;
    const int ownTiles = (own + p.tileTokens - 1) / p.tileTokens;
    const int from = start + warp_sum_before(own, lane);
    const int tileFrom = tile + warp_sum_before(ownTiles, lane);
    if (expert < p.experts) starts[expert] = from;
    for (int i = 0; i < ownTiles; i++) {
      const int at = from + i * p.tileTokens;
      p.tiles[tileFrom + i] = {expert, at, min(at + p.tileTokens, from + own), 0};
    }
    start = warp_shuffle(from + own, WARP - 1);
    tile = warp_shuffle(tileFrom + ownTiles, WARP - 1);
  }
  for (int i = tile + lane; i < p.tileCount; i += WARP) p.tiles[i] = {0, 0, 0, 0};
}

KERNEL(group_experts, GROUP_THREADS, GroupExpertsParams) {
  SHARED_MEMORY(int, starts);  // [experts]
  int *counts = starts + p.experts;  // [warps][experts]
  const int warps = blockDim.x / WARP;
  const int warp = threadIdx.x / WARP;
  for (int i = threadIdx.x; i < warps * p.experts; i += blockDim.x) counts[i] = 0;
  __syncthreads();
  count(p, counts + warp * p.experts, false);
  __syncthreads();
  for (int expert = threadIdx.x; expert < p.experts; expert += blockDim.x) {
    int sum = 0;
    for (int i = 0; i < warps; i++) sum += counts[i * p.experts + expert];
    starts[expert] = sum;
  }
  __syncthreads();
  if (warp == 0) start_experts(p, starts, threadIdx.x);
  __syncthreads();
  for (int expert = threadIdx.x; expert < p.experts; expert += blockDim.x) {
    int next = starts[expert];
    for (int i = 0; i < warps; i++) {
      const int own = counts[i * p.experts + expert];
      counts[i * p.experts + expert] = next;
      next += own;
    }
  }
  __syncthreads();
  count(p, counts + warp * p.experts, true);
}

// ---- What comes back: acc = 0; acc = fma(share, output, acc) in rising order of the expert, the shared one last.

DEVICE void add_scaled(Quad &sum, float share, const Quad &from) {
#pragma unroll
  for (int i = 0; i < 4; i++) sum.v[i] = fmaf(share, from.v[i], sum.v[i]);
}

KERNEL(combine_experts, COMBINE_THREADS, CombineExpertsParams) {
  const int64_t token = blockIdx.x;
  float *out = p.out + token * p.size;
  const bool isAligned = p.size % 4 == 0 && is_aligned16(p.outputs) && is_aligned16(p.out) && is_aligned16(p.shared);
  const float sharedShare = p.shared == nullptr ? 0 : 1 / (1 + exact_exp(-p.sharedGate[token]));
  for (int quad = threadIdx.x; 4 * quad < p.size; quad += blockDim.x) {
    Quad sum = {};
    for (int i = 0; i < p.used; i++) {
      const int64_t slot = p.slots[token * p.used + i];
      add_scaled(sum, p.shares[token * p.used + i], load_quad(p.outputs + slot * p.size, quad, p.size, isAligned));
    }
    if (p.shared != nullptr) {
      add_scaled(sum, sharedShare, load_quad(p.shared + token * p.size, quad, p.size, isAligned));
    }
    if (p.adds) {
      const Quad before = load_quad(out, quad, p.size, isAligned);
#pragma unroll
      for (int i = 0; i < 4; i++) sum.v[i] = before.v[i] + sum.v[i];
    }
    store_quad(out, quad, p.size, isAligned, sum);
  }
}
