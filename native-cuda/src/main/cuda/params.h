// Each kernel's one parameter: pointers first, then int32, then float; naturally aligned, so that the host writes a struct
// member by member. Sizes and strides count elements unless they say bytes.
#ifndef STATOR_PARAMS_H
#define STATOR_PARAMS_H

#include <stdint.h>

// ---- Rows and elements. Kernels on elements take any grid; best is one thread for four of them.

// out[row] = x[row] * (1 / sqrt(mean(x[row]^2) + epsilon)) * weight; grid (rows), 256 threads. out may be x.
struct NormParams {
  const float *x;       // [rows][rowStride]
  const float *weight;  // [size]
  void *out;            // [rows][size], bf16 or float32 by the kernel
  int32_t size;
  int32_t rowStride;
  float epsilon;
};

// to[i] += from[i]
struct AddParams {
  float *to;
  const float *from;
  int32_t count;
};

// sum = ((part 0 + part 1) + part 2) + ...; to[i] = sum, or to[i] + sum
struct SumPartsParams {
  float *to;
  const float *parts;  // [partCount], stride floats from one to the next
  int32_t count;       // of each
  int32_t partCount;
  int32_t stride;
  int32_t adds;  // 1: to += sum
};

// values[i] = cap * tanh(values[i] / cap)
struct SoftcapParams {
  float *values;
  int32_t count;
  float cap;
};

// out[row][i] = activation(gate[row][i]) * up[row][i]
struct GatedParams {
  const float *gate;  // [rows][rowStride]
  const float *up;    // [rows][rowStride]
  uint16_t *out;      // [rows][size] bf16
  int32_t rows;
  int32_t size;
  int32_t rowStride;
};

// to[i] = x[wanted[i]]; grid (number of wanted rows), 256 threads.
struct GatherRowsParams {
  const float *x;         // [rows][size]
  const int32_t *wanted;  // rows
  float *to;              // [wanted rows][size]
  int32_t size;
};

// ---- Queries, keys and values before attention

// Per token and head: RMS norm over the head where there is one, rotation, bf16; keys and values go to the token's KV block.
// Grid (tokens, (heads + 2 kvHeads) / 4 rounded up), 128 threads: a warp a head.
struct RotateStoreParams {
  const float *queryKeyValue;  // [tokens][heads of queries | of keys | of values][headSize]
  const float *cosines;        // [positions][rotatedSize / 2]
  const float *sines;          // [positions][rotatedSize / 2]
  const float *queryNorm;      // [headSize] or null
  const float *keyNorm;        // [headSize] or null
  const int32_t *positions;    // [tokens]
  const int32_t *tableStart;   // [tokens], where the token's sequence begins in blockTable
  const int32_t *blockTable;   // KV blocks of the sequences, one after another
  uint16_t *query;             // [tokens][heads][headSize] bf16
  void *pool;                  // KV blocks as KvLayout says, bf16, 16 tokens each
  int32_t heads;
  int32_t kvHeads;
  int32_t headSize;
  int32_t rotatedSize;    // even, at most headSize; the values behind it stay as they are
  int32_t isInterleaved;  // 1: pairs (2i, 2i + 1), 0: pairs (i, i + rotatedSize / 2)
  int32_t blockBytes;
  int32_t layerOffset;  // bytes from a block's start to the layer
  float epsilon;
};

// ---- KV blocks

// Whole blocks between the pool and a contiguous buffer; grid (any, number of blocks), 256 threads.
struct CopyBlocksParams {
  void *pool;
  void *buffer;           // [blocks][blockBytes]
  const int32_t *blocks;  // which of the pool
  int32_t blockBytes;     // a multiple of 16
  int32_t toPool;         // 1: from the buffer to the pool, 0: the other way
};

// Blocks of the pool, in KvLayout, to or from tokens side by side; grid (layers * 2 * kvHeads, number of blocks), 128
// threads, shared memory of headSize * 36 bytes.
struct TransposeBlocksParams {
  void *pool;
  void *tokens;           // [blocks][layers][keys | values][16 tokens][kvHeads][headSize] bf16
  const int32_t *blocks;  // which of the pool
  int32_t layers;
  int32_t kvHeads;
  int32_t headSize;  // a multiple of 8
  int32_t toPool;    // 1: from tokens to the pool, 0: the other way
};

// ---- Sampling. The order is by falling value, equal values by rising id; no number counts as -infinity.

// ids[row] = id of the largest; grid (rows), 1024 threads.
struct ArgmaxParams {
  const float *logits;  // [rows][size]
  int32_t *ids;  // of the first of the largest; -1 when that is infinite, or any is no number
  int32_t size;
};

// The k best of each part of 4096 logits, and for all of a part the maximum and the sum of exp(logit - maximum); then the
// same of all parts. Where there are fewer than k, -infinity with id -1 follows.
// top_k: grid (parts, rows), 256 threads. top_k_merge: grid (rows), 256 threads.
struct TopKParams {
  const float *logits;  // [rows][size]
  float *partValues;    // [rows][parts][k]
  int32_t *partIds;     // [rows][parts][k]
  float *partSums;      // [rows][parts][maximum, sum]
  int32_t size;
  int32_t k;  // 1 to 64
};

struct TopKMergeParams {
  const float *partValues;
  const int32_t *partIds;
  const float *partSums;
  float *values;  // [rows][k]
  int32_t *ids;   // [rows][k]
  float *sums;    // [rows][maximum, sum]
  int32_t parts;  // parts * k at most 4096
  int32_t k;
};

// ---- Embedding

// x[token] = row tokens[token] of weights, in the format of the model file, times scale.
struct EmbedParams {
  const void *weights;
  const int32_t *tokens;  // [M]
  float *x;               // [M][hidden]
  int32_t hidden;
  float scale;
};

// ---- Matrix products

// From rows of the model file to fragments of the matrix instruction; rows are padded to 16 with zeros.
struct RepackParams {
  const void *from;
  void *to;
  int32_t rows;
  int32_t columns;
};

// Some tokens of an expert: [first, end), none where first = end.
struct alignas(16) ExpertTile {
  int32_t expert;
  int32_t first;
  int32_t end;
  int32_t unused;
};

// out[token][row] (+)= sum over columns of weights[row][column] * x[source of token][column] (+ bias[row])
struct MatmulParams {
  const void *weights;      // as repacked, [experts]
  const uint16_t *x;        // [tokens][columns] bf16
  const float *bias;        // [rows] or null
  float *out;               // [tokens][outStride]
  const ExpertTile *tiles;  // null: one matrix for all tokens
  const int32_t *sources;   // [tokens], rows of x; null: the tokens
  int32_t rows;
  int32_t columns;
  int32_t tokens;
  int32_t outStride;
  int32_t adds;  // 1: to what is there
};

// ---- Mixtures of experts. A token's choice of one expert has a slot; slots are in the order of experts, of tokens within.

// The `used` largest of a token's logits, the lower expert first among equals, no number the least; a warp a token, grid
// (tokens / 4 rounded up), 128 threads.
struct RouteParams {
  const float *logits;  // [tokens][experts]
  int32_t *chosen;      // [tokens][used], rising
  float *shares;        // [tokens][used]
  int32_t tokens;
  int32_t experts;      // at most 512
  int32_t used;
  int32_t renormalises;  // 1: shares are of the sum of the chosen, 0: of all
};

// Slots of all choices, and tiles of at most tileTokens slots of one expert; one block of up to 1024 threads, shared memory of
// (threads / 32 + 1) * experts * 4 bytes.
struct GroupExpertsParams {
  const int32_t *chosen;  // [choices]
  int32_t *slots;         // [choices], a choice's
  int32_t *sources;       // [choices], a slot's token
  ExpertTile *tiles;      // [tileCount]
  int32_t choices;
  int32_t used;  // choices of a token
  int32_t experts;
  int32_t tileTokens;
  int32_t tileCount;  // choices / tileTokens + min(choices, experts) are enough
};

// out[token] (+)= sum over its choices of share * outputs[slot] (+ sigmoid(sharedGate) * shared); grid (tokens), 256 threads.
struct CombineExpertsParams {
  const float *outputs;     // [slots][size]
  const int32_t *slots;     // [tokens][used]
  const float *shares;      // [tokens][used]
  const float *shared;      // [tokens][size], or null
  const float *sharedGate;  // [tokens], with shared
  float *out;               // [tokens][size]
  int32_t size;
  int32_t used;
  int32_t adds;  // 1: to what is there
};

// A product whose columns are cut as the launch says and not as the family does: matmul_*_free_*, which the price of the
// family's one cut is measured with. No bits are promised.
struct FreeMatmulParams {
  MatmulParams product;  // without bias and tiles
  int32_t rangeUnits;    // of a range, in units of the weights' layout
  int32_t blockRanges;   // of a block of threads; the last block may have fewer
  int32_t parts;         // blocks of threads that share an output's ranges; several add to what is there, in any order
};

// Activations as the kernels *_wgmma take them; what that is, and the grid, says matmul_hopper.cu.
struct PackParams {
  const uint16_t *x;  // [tokens][columns] bf16
  void *to;
  int32_t columns;
  int32_t tokens;
};

// ---- Attention

// Rows of one sequence, and a split of what they see. A row is a query head of a token: rows of a key/value head are counted
// token by token, its group's heads side by side.
struct alignas(16) AttentionTile {
  int32_t token;       // Of the step: the sequence's first, whose row is 0.
  int32_t start;       // Its position.
  int32_t tableStart;  // Where the sequence's blocks begin in blockTable.
  int32_t rowFrom;
  int32_t rowTo;       // 0: nothing to do
  int32_t split;       // Positions [512 split, 512 split + 512); in attention_*_free of splitLength in place of 512.
  int32_t partialRow;  // Of `partials`: rowFrom's.
  int32_t splitLength; // A multiple of 64; attention_*_free only.
};

// out[row] = sum over seen positions of softmax(score) * value, score = cap * tanh(scale * q . key / cap), without a cap
// scale * q . key. A token at position p sees positions p - window + 1 to p.
struct AttentionParams {
  const uint16_t *q;           // [M][heads][headSize] bf16, rotated
  const uint8_t *pool;         // KV blocks of 16 positions, bf16
  const int32_t *blockTable;   // Block numbers, sequence by sequence.
  const AttentionTile *tiles;
  const int32_t *tileCount;    // attention_decode only
  uint16_t *out;               // [M][heads][headSize] bf16
  float *partials;             // attention_decode, attention_merge
  int32_t blockBytes;          // Of a KV block, all layers.
  int32_t keyOffset;           // Where the keys of the layer's head 0 begin in a KV block, in bytes.
  int32_t heads;
  int32_t keyValueHeads;
  int32_t headSize;
  int32_t window;              // INT32_MAX for all
  float scale;
  float cap;                   // 0 for none
};

#endif
