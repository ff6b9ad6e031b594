// What a warp's lanes do together with matrices; layouts as in ../stator.h.
#include <string.h>

#include "machine.h"

namespace stator {

namespace {

constexpr int ROWS = 16;
constexpr int DEPTH = 16;
constexpr int COLUMNS = 8;

double to_double(uint32_t bits) {
  bits <<= 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

void read_factors(const Warp *warp, double a[ROWS][DEPTH], double b[DEPTH][COLUMNS]) {
  for (int lane = 0; lane < LANES; lane++) {
    const uint32_t *from_a = static_cast<const uint32_t *>(warp->operands[lane].a);
    const uint32_t *from_b = static_cast<const uint32_t *>(warp->operands[lane].b);
    const int group = lane / 4;
    const int pair = lane % 4 * 2;
    for (int i = 0; i < 4; i++) {
      double *row = a[group + i % 2 * 8] + pair + i / 2 * 8;
      row[0] = to_double(from_a[i] & 0xFFFF);
      row[1] = to_double(from_a[i] >> 16);
    }
    for (int i = 0; i < 2; i++) {
      b[pair + i * 8][group] = to_double(from_b[i] & 0xFFFF);
      b[pair + i * 8 + 1][group] = to_double(from_b[i] >> 16);
    }
  }
}

}  // namespace

// Products of bf16 are exact in float64; they are added in ascending k, then to d, which is rounded once. The device's own
// order within an instruction is fixed, but not published.
void multiply_matrices(Warp *warp) {
  double a[ROWS][DEPTH];
  double b[DEPTH][COLUMNS];
  double sums[ROWS][COLUMNS];
  read_factors(warp, a, b);
  for (int row = 0; row < ROWS; row++) {
    double sum[COLUMNS] = {};
    for (int k = 0; k < DEPTH; k++) {
      for (int column = 0; column < COLUMNS; column++) sum[column] += a[row][k] * b[k][column];
    }
    memcpy(sums[row], sum, sizeof sum);
  }
  for (int lane = 0; lane < LANES; lane++) {
    float *to = static_cast<float *>(warp->operands[lane].to);
    for (int i = 0; i < 4; i++) {
      to[i] = static_cast<float>(static_cast<double>(to[i]) + sums[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2]);
    }
  }
}

void load_matrices(Warp *warp, int count, bool is_transposed) {
  for (int lane = 0; lane < 8 * count; lane++) {
    const void *row = warp->operands[lane].a;
    if (reinterpret_cast<uintptr_t>(row) % 16 != 0) fail("load_matrix: lane %d's address is not aligned to 16", lane);
    const Processor *machine = static_cast<const Processor *>(warp->resume->machine);
    if (!machine->is_shared(row)) fail("load_matrix: lane %d's address is not the block's shared memory", lane);
  }
  for (int lane = 0; lane < LANES; lane++) {
    uint32_t *to = static_cast<uint32_t *>(warp->operands[lane].to);
    for (int i = 0; i < count; i++) {
      uint16_t pair[2];
      for (int j = 0; j < 2; j++) {
        const int row = is_transposed ? lane % 4 * 2 + j : lane / 4;
        const int column = is_transposed ? lane / 4 : lane % 4 * 2 + j;
        pair[j] = static_cast<const uint16_t *>(warp->operands[i * 8 + row].a)[column];
      }
      memcpy(to + i, pair, sizeof pair);
    }
  }
}

}  // namespace stator
