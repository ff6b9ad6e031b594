// Each kernel's one parameter: pointers first, then int32, then float; naturally aligned, so that the host writes a struct
// member by member. Sizes and strides count elements unless they say bytes.
#ifndef STATOR_PARAMS_H
#define STATOR_PARAMS_H

#include <stdint.h>

// ---- Rows and elements

// to[row] = x[row] * rsqrt(mean(x[row]^2) + epsilon) * weight; rows of `size` values, a block of threads each.
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

// out[token][row] (+)= sum over columns of weights[row][column] * x[token][column] (+ bias[row])
struct MatmulParams {
  const void *weights;  // as repacked
  const uint16_t *x;    // [tokens][columns] bf16
  const float *bias;    // [rows] or null
  float *out;           // [tokens][outStride]
  int32_t rows;
  int32_t columns;
  int32_t tokens;
  int32_t outStride;
  int32_t adds;  // 1: to what is there
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
  int32_t split;       // Positions [512 split, 512 split + 512).
  int32_t partialRow;  // Of `partials`: rowFrom's.
  int32_t unused;
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
