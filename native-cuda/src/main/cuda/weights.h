// Weights in device memory and their way into the matrix instruction: layouts, and dequantisation in registers to bf16.
//
// A matrix of `rows` x `columns` is cut into tiles of 16 rows, a tile into chunks of 128 columns, a chunk into 8 steps of one
// matrix instruction (16 rows x 16 columns). Lane 4 g + t of a warp holds, for every step j of a chunk, of rows g and g + 8
//
//   columns 32 t + 4 j + {0, 1, 2, 3}      so the A fragment is   a[0] = row g, {0, 1}    a[1] = row g + 8, {0, 1}
//                                                                 a[2] = row g, {2, 3}    a[3] = row g + 8, {2, 3}
//
// and activations take the same columns into B. So a lane has one block of 32 columns of its two rows, with one scale each,
// and reads its activations of a chunk, 64 bytes of one token, at 16 bytes a load.
//
// Memory is tile after tile, units in ascending columns in a tile. A unit is one chunk, or two where 256 columns share a
// header; all that a warp loads together lies together, 16 bytes a lane:
//
//   bf16   4096   [step 8][lane 32]                    a[0..3]
//   q8_0   2176   [steps 4][lane 32]                   row g, 4 columns of step 2i; row g + 8; the same of step 2i + 1;
//                                                      a byte is value + 128
//                 [lane 32] 4 bytes                    f16 scale of row g, of row g + 8
//   q4_k   2304   [chunk 2][half 2][lane 32]           4 steps: row g, steps 0, 1; steps 2, 3; row g + 8 likewise. Values 2 p
//                                                      and 2 p + 1 of a word's eight are in bits 4 p and 16 + 4 p
//                 [lane 32] 2 words, one a chunk       6-bit scale, minimum of row g, of row g + 8; in the upper 8 bits a piece
//                                                      of f16 d[g], dmin[g], d[g + 8] or dmin[g + 8], by t; low byte first
//   q6_k   3360   [chunk 2][half 2][lane 32]           low 4 bits; row g, steps 0, 1; steps 2, 3; row g + 8 likewise. Of a
//                                                      word's bytes the low nibbles are the even step
//                 [chunk 2][lane 32]                   high 2 bits; half 0: row g, row g + 8; half 1 likewise. Byte b has
//                                                      column b of step s in bits 2 s
//                 [lane 32] 2 words, one a chunk       scale + 128 of 16 columns: row g, half 0, half 1; row g + 8 likewise
//                 [g 8] 4 bytes                        f16 d[g], d[g + 8]
//   f8_e4m3 2112  [steps 4][lane 32]                   row g, 4 columns of step 2i; row g + 8; the same of step 2i + 1. Columns
//                                                      0 and 1 are in bytes 1 and 3, columns 2 and 3 in bytes 0 and 2
//                 [g 8] 2 floats                       factor of row g, of row g + 8
//
// Rows are padded to a whole tile and columns to a whole unit with zero bytes, which are weights of zero in every type.
//
// The weight of a product is the format's value rounded once to bf16; for q4_k, whose lanes have least time, it is
// fma(q - 8, s, o) in bf16 arithmetic, with s = d * scale and o = 8 s - dmin * minimum each rounded to bf16.
#ifndef STATOR_WEIGHTS_H
#define STATOR_WEIGHTS_H

#include "stator.h"

namespace weights {

constexpr int TILE_ROWS = 16;
constexpr int CHUNK = 128;      // columns
constexpr int CHUNK_STEPS = 8;  // matrix instructions
constexpr int LANE_COLUMNS = CHUNK / 4;
constexpr int ROW = WARP * 16;  // bytes of one load by a warp

// ---- Loads of weights: once, past the cache that activations are in. Nothing is read unless `is_there`, and then registers
// keep what they have; by a predicate, so that a load ahead goes straight to where it is used.

#ifdef STATOR_HOST

DEVICE void load16(uint32_t *to, const uint8_t *from, bool is_there) {
  if (is_there) memcpy(to, reinterpret_cast<const uint4 *>(from), 16);
}
DEVICE void load8(uint32_t *to, const uint8_t *from, bool is_there) {
  if (is_there) memcpy(to, reinterpret_cast<const uint2 *>(from), 8);
}
DEVICE void load4(uint32_t *to, const uint8_t *from, bool is_there) {
  if (is_there) *to = *reinterpret_cast<const uint32_t *>(from);
}

DEVICE uint32_t and_or(uint32_t bits, uint32_t mask, uint32_t others) { return (bits & mask) | others; }

#else

DEVICE void load16(uint32_t *to, const uint8_t *from, bool is_there) {
  asm("{ .reg .pred p; setp.ne.u32 p, %5, 0;\n"
      "@p ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4]; }"
      : "+r"(to[0]), "+r"(to[1]), "+r"(to[2]), "+r"(to[3])
      : "l"(from), "r"(static_cast<uint32_t>(is_there)));
}
DEVICE void load8(uint32_t *to, const uint8_t *from, bool is_there) {
  asm("{ .reg .pred p; setp.ne.u32 p, %3, 0;\n"
      "@p ld.global.nc.L1::no_allocate.v2.u32 {%0, %1}, [%2]; }"
      : "+r"(to[0]), "+r"(to[1])
      : "l"(from), "r"(static_cast<uint32_t>(is_there)));
}
DEVICE void load4(uint32_t *to, const uint8_t *from, bool is_there) {
  asm("{ .reg .pred p; setp.ne.u32 p, %2, 0;\n"
      "@p ld.global.nc.L1::no_allocate.u32 %0, [%1]; }"
      : "+r"(to[0])
      : "l"(from), "r"(static_cast<uint32_t>(is_there)));
}

// One instruction, which the compiler does not always find.
DEVICE uint32_t and_or(uint32_t bits, uint32_t mask, uint32_t others) {
  uint32_t result;
  asm("lop3.b32 %0, %1, %2, %3, 0xEA;" : "=r"(result) : "r"(bits), "r"(mask), "r"(others));
  return result;
}

#endif

// ---- Two bf16 in a register

constexpr uint32_t BF16X2_ONE = 0x3F803F80u;

#ifdef STATOR_HOST

// a * b + c rounded once to bf16: the exact sum goes to the neighbour in float32 whose last bit is set, so that rounding it
// further is rounding the sum.
DEVICE uint32_t bf16_fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;
  const double sum = product + c;
  const double part = sum - product;
  const double rest = (product - (sum - part)) + (c - part);
  float nearest = static_cast<float>(sum);
  const double beyond = (sum - nearest) + rest;
  if (beyond != 0 && (__float_as_uint(nearest) & 1) == 0) {
    nearest = nextafterf(nearest, beyond > 0 ? INFINITY : -INFINITY);
  }
  return float_to_bf16(nearest);
}

DEVICE uint32_t bf16x2_fma(uint32_t a, uint32_t b, uint32_t c) {
  return bf16_fma(low_bf16_to_float(a), low_bf16_to_float(b), low_bf16_to_float(c)) |
         bf16_fma(high_bf16_to_float(a), high_bf16_to_float(b), high_bf16_to_float(c)) << 16;
}

#else

DEVICE uint32_t bf16x2_fma(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t result;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  return result;
}

#endif

// ---- Small integers as floats, exactly, without the slow conversion: set into the mantissa of a power of two

// 2^7 + byte, which is below 128.
DEVICE float byte_on_128(uint32_t bytes, int index) {
  return __uint_as_float(__byte_perm(bytes, 0x43000000u, 0x7044u | index << 8));
}

// 2^15 + byte
DEVICE float byte_on_32768(uint32_t bytes, int index) {
  return __uint_as_float(__byte_perm(bytes, 0x47000000u, 0x7404u | index << 4));
}

// 2^7 + the 6 bits at `at`.
DEVICE float six_bits_on_128(uint32_t word, int at) {
  const uint32_t moved = at < 16 ? word << (16 - at) : word >> (at - 16);
  return __uint_as_float(and_or(moved, 0x003F0000u, 0x43000000u));
}

DEVICE float low_half_to_float(uint32_t pair) { return half_to_float(static_cast<uint16_t>(pair)); }
DEVICE float high_half_to_float(uint32_t pair) { return half_to_float(static_cast<uint16_t>(pair >> 16)); }

// ---- Types. Each has
//   UNIT_CHUNKS, UNIT_BYTES
//   PIECE_STEPS               steps that are loaded together, by load_piece, a Piece in registers
//   Header, load_header       what a unit's scales are made of, as loaded
//   Scales, prepare           the scales of one of its chunks; all lanes together
//   fragment                  the A fragment of one of the unit's steps, a constant once unrolled
// Loads take a lane's place in the unit, 16 bytes from lane to lane.

struct Bf16Weights {
  static constexpr int UNIT_CHUNKS = 1, UNIT_BYTES = 4096, PIECE_STEPS = 4;
  struct Header {};
  struct Scales {};
  struct Piece {
    uint32_t fragments[PIECE_STEPS][4];
  };
  static DEVICE void load_header(Header &, const uint8_t *, int, bool) {}
  static DEVICE void prepare(Scales &, const Header &, int, int) {}
  static DEVICE void load_piece(Piece &to, const uint8_t *place, int piece, bool is_there) {
#pragma unroll
    for (int i = 0; i < PIECE_STEPS; i++) {
      load16(to.fragments[i], place + (piece * PIECE_STEPS + i) * ROW, is_there);
    }
  }
  static DEVICE void fragment(uint32_t *a, const Piece &from, const Scales &, int step) {
#pragma unroll
    for (int i = 0; i < 4; i++) a[i] = from.fragments[step % PIECE_STEPS][i];
  }
};

struct Q8_0Weights {
  static constexpr int UNIT_CHUNKS = 1, UNIT_BYTES = 2176, PIECE_STEPS = 4;
  struct Header {
    uint32_t halves;
  };
  struct Scales {
    float scale[2];  // of row g, of row g + 8
  };
  struct Piece {
    uint32_t words[PIECE_STEPS / 2][4];  // [steps][step, row]
  };
  static DEVICE void load_header(Header &to, const uint8_t *place, int lane, bool is_there) {
    load4(&to.halves, place + 4 * ROW - lane * 12, is_there);
  }
  static DEVICE void prepare(Scales &to, const Header &from, int, int) {
    to.scale[0] = low_half_to_float(from.halves);
    to.scale[1] = high_half_to_float(from.halves);
  }
  static DEVICE void load_piece(Piece &to, const uint8_t *place, int piece, bool is_there) {
#pragma unroll
    for (int i = 0; i < PIECE_STEPS / 2; i++) load16(to.words[i], place + (piece * 2 + i) * ROW, is_there);
  }
  static DEVICE void fragment(uint32_t *a, const Piece &from, const Scales &scales, int step) {
#pragma unroll
    for (int row = 0; row < 2; row++) {
      const uint32_t bytes = from.words[step % PIECE_STEPS / 2][step % 2 * 2 + row];
      // 32896 scale has 20 bits, so the product and the sum are exact.
      const float scale = scales.scale[row];
      const float zero = -32896.f * scale;
      a[row] = floats_to_bf16x2(fmaf(byte_on_32768(bytes, 0), scale, zero), fmaf(byte_on_32768(bytes, 1), scale, zero));
      a[row + 2] = floats_to_bf16x2(fmaf(byte_on_32768(bytes, 2), scale, zero), fmaf(byte_on_32768(bytes, 3), scale, zero));
    }
  }
};

struct Q4_KWeights {
  static constexpr int UNIT_CHUNKS = 2, UNIT_BYTES = 2304, PIECE_STEPS = 4;
  struct Header {
    uint32_t words[2];
  };
  struct Scales {
    uint32_t both[2];  // [row], bf16: scale, offset
  };
  struct Piece {
    uint32_t words[4];  // [row][steps]
  };
  static DEVICE void load_header(Header &to, const uint8_t *place, int lane, bool is_there) {
    load8(to.words, place + 4 * ROW - lane * 8, is_there);
  }
  static DEVICE void prepare(Scales &to, const Header &from, int chunk, int lane) {
    const float own = low_half_to_float(__byte_perm(from.words[0], from.words[1], 0x73));
#pragma unroll
    for (int row = 0; row < 2; row++) {
      const float d = warp_shuffle(own, (lane & ~3) + 2 * row);
      const float d_min = warp_shuffle(own, (lane & ~3) + 2 * row + 1);
      // Products of 11 and 6 bits, exact.
      const float scale = fmaf(six_bits_on_128(from.words[chunk], 12 * row), d, -128.f * d);
      const float minimum = fmaf(six_bits_on_128(from.words[chunk], 12 * row + 6), d_min, -128.f * d_min);
      to.both[row] = floats_to_bf16x2(scale, fmaf(8.f, scale, -minimum));
    }
  }
  static DEVICE void load_piece(Piece &to, const uint8_t *place, int piece, bool is_there) {
    load16(to.words, place + piece * ROW, is_there);
  }
  static DEVICE void fragment(uint32_t *a, const Piece &from, const Scales &scales, int step) {
#pragma unroll
    for (int row = 0; row < 2; row++) {
#pragma unroll
      for (int pair = 0; pair < 2; pair++) {
        const uint32_t nibbles = from.words[row * 2 + step % PIECE_STEPS / 2] >> (step % 2 * 8 + pair * 4);
        const uint32_t on_128 = and_or(nibbles, 0x000F000Fu, 0x43004300u);
        const uint32_t centred = bf16x2_fma(on_128, BF16X2_ONE, 0xC308C308u);  // - 136
        const uint32_t both = scales.both[row];
        a[row + 2 * pair] = bf16x2_fma(centred, __byte_perm(both, 0, 0x1010), __byte_perm(both, 0, 0x3232));
      }
    }
  }
};

struct Q6_KWeights {
  static constexpr int UNIT_CHUNKS = 2, UNIT_BYTES = 3360, PIECE_STEPS = 8;
  struct Header {
    uint32_t scales[2];
    uint32_t halves;
  };
  struct Scales {
    float scale[2][2];  // [row][half]
  };
  struct Piece {
    uint32_t low[2][4];  // [half][row, steps]
    uint32_t high[4];    // [half, row]
  };
  static DEVICE void load_header(Header &to, const uint8_t *place, int lane, bool is_there) {
    load8(to.scales, place + 6 * ROW - lane * 8, is_there);
    load4(&to.halves, place + 6 * ROW + 256 - lane * 16 + lane / 4 * 4, is_there);
  }
  static DEVICE void prepare(Scales &to, const Header &from, int chunk, int) {
#pragma unroll
    for (int row = 0; row < 2; row++) {
      const float d = row == 0 ? low_half_to_float(from.halves) : high_half_to_float(from.halves);
#pragma unroll
      for (int half = 0; half < 2; half++) {
        // A product of 11 and 8 bits, exact.
        to.scale[row][half] = fmaf(byte_on_32768(from.scales[chunk], row * 2 + half), d, -32896.f * d);
      }
    }
  }
  static DEVICE void load_piece(Piece &to, const uint8_t *place, int piece, bool is_there) {
    load16(to.low[0], place + piece * 2 * ROW, is_there);
    load16(to.low[1], place + (piece * 2 + 1) * ROW, is_there);
    load16(to.high, place + (4 + piece) * ROW, is_there);
  }
  static DEVICE void fragment(uint32_t *a, const Piece &from, const Scales &scales, int step) {
    const int half = step % CHUNK_STEPS / 4;
    const int at = step % 4;
#pragma unroll
    for (int row = 0; row < 2; row++) {
      const uint32_t low = from.low[half][row * 2 + at / 2] >> (at % 2 * 4);
      const uint32_t high = from.high[half * 2 + row];
      const uint32_t moved = at < 2 ? high << (4 - 2 * at) : high >> (2 * at - 4);
      const uint32_t bytes = and_or(low, 0x0F0F0F0Fu, moved & 0x30303030u);
      // (q - 32) * scale has 24 bits and 160 scale fewer, so the sum is exact.
      const float scale = scales.scale[row][half];
      const float zero = -160.f * scale;
      a[row] = floats_to_bf16x2(fmaf(byte_on_128(bytes, 0), scale, zero), fmaf(byte_on_128(bytes, 1), scale, zero));
      a[row + 2] = floats_to_bf16x2(fmaf(byte_on_128(bytes, 2), scale, zero), fmaf(byte_on_128(bytes, 3), scale, zero));
    }
  }
};

// A code is a sign, 4 bits of exponent with a bias of 7, and 3 of mantissa. Moved to where a float has them it is 2^-120 of the
// value, a denormal float for a denormal code, and the factor takes 2^120 on: all exact, until the product is rounded.
struct F8_E4M3Weights {
  static constexpr int UNIT_CHUNKS = 1, UNIT_BYTES = 2112, PIECE_STEPS = 4;
  struct Header {
    uint32_t factors[2];
  };
  struct Scales {
    float scale[2];  // of row g, of row g + 8, times 2^120
  };
  struct Piece {
    uint32_t words[PIECE_STEPS / 2][4];  // [steps][step, row]
  };
  static DEVICE void load_header(Header &to, const uint8_t *place, int lane, bool is_there) {
    load8(to.factors, place + 4 * ROW - lane * 16 + lane / 4 * 8, is_there);
  }
  static DEVICE void prepare(Scales &to, const Header &from, int, int) {
#pragma unroll
    for (int row = 0; row < 2; row++) to.scale[row] = __uint_as_float(from.factors[row]) * 0x1p120f;
  }
  static DEVICE void load_piece(Piece &to, const uint8_t *place, int piece, bool is_there) {
#pragma unroll
    for (int i = 0; i < PIECE_STEPS / 2; i++) load16(to.words[i], place + (piece * 2 + i) * ROW, is_there);
  }
  static DEVICE void fragment(uint32_t *a, const Piece &from, const Scales &scales, int step) {
#pragma unroll
    for (int row = 0; row < 2; row++) {
      const uint32_t word = from.words[step % PIECE_STEPS / 2][step % 2 * 2 + row];
#pragma unroll
      for (int pair = 0; pair < 2; pair++) {
        const uint32_t codes = pair == 0 ? word : word << 8;  // in the upper bytes of both halves
        const uint32_t both = and_or(codes, 0x80008000u, codes >> 4 & 0x07F007F0u);
        const float scale = scales.scale[row];
        a[row + 2 * pair] = floats_to_bf16x2(low_bf16_to_float(both) * scale, high_bf16_to_float(both) * scale);
      }
    }
  }
};

}  // namespace weights

#endif
