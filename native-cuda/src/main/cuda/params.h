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

#endif
