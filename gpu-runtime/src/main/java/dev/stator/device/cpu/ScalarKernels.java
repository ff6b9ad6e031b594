package dev.stator.device.cpu;

import dev.stator.model.WeightType;

/**
 * The scalar programs as plain Java: what runs until the vector kernels are compiled, and where
 * there is no Vector API or no C2. The interpreter takes microseconds for one vector operation and
 * C1 little less.
 */
final class ScalarKernels {
  private static final int ROWS = PackedMatrix.PANEL_ROWS;
  private static final int HALVES_BYTES = 2 * ROWS;

  private ScalarKernels() {}

  /**
   * The chains of 16 rows for one token.
   *
   * @param w 16 values for each input
   * @param out continued, from {@code outOffset} on
   */
  static void multiply(float[] w, int count, float[] x, int xOffset, float[] out, int outOffset) {
    for (int row = 0; row < ROWS; row += 8) {
      final int o = outOffset + row;
      float a0 = out[o];
      float a1 = out[o + 1];
      float a2 = out[o + 2];
      float a3 = out[o + 3];
      float a4 = out[o + 4];
      float a5 = out[o + 5];
      float a6 = out[o + 6];
      float a7 = out[o + 7];
      for (int k = 0, i = row; k < count; k++, i += ROWS) {
        final float xk = x[xOffset + k];
        a0 = Math.fma(w[i], xk, a0);
        a1 = Math.fma(w[i + 1], xk, a1);
        a2 = Math.fma(w[i + 2], xk, a2);
        a3 = Math.fma(w[i + 3], xk, a3);
        a4 = Math.fma(w[i + 4], xk, a4);
        a5 = Math.fma(w[i + 5], xk, a5);
        a6 = Math.fma(w[i + 6], xk, a6);
        a7 = Math.fma(w[i + 7], xk, a7);
      }
      out[o] = a0;
      out[o + 1] = a1;
      out[o + 2] = a2;
      out[o + 3] = a3;
      out[o + 4] = a4;
      out[o + 5] = a5;
      out[o + 6] = a6;
      out[o + 7] = a7;
    }
  }

  /** {@code acc[d] = fma(weight, values[d], acc[d])}. */
  static void addScaled(
      float weight, float[] values, int from, float[] acc, int accFrom, int count) {
    for (int d = 0; d < count; d++)
      acc[accFrom + d] = Math.fma(weight, values[from + d], acc[accFrom + d]);
  }

  /**
   * Decodes a panel's bytes for {@code count} inputs, whole blocks of its type, into 16 values an
   * input.
   *
   * @param b in the layout of the type's {@link PanelMatrix}
   */
  static void decode(WeightType type, byte[] b, int count, float[] to) {
    switch (type) {
      case F32 -> {
        for (int i = 0; i < count * ROWS; i++) to[i] = Float.intBitsToFloat(word(b, 4 * i));
      }
      case F16, BF16 -> decodePairs(type, b, count, to);
      case Q8_0, IQ4_NL -> decodeQ8(b, count, to);
      case Q4_0 -> decodeQ4(b, count, to);
      case Q4_1, Q5_0, Q5_1 -> decodeQ5(type, b, count, to);
      case Q2_K -> decodeQ2K(b, count, to);
      case Q3_K -> decodeQ3K(b, count, to);
      case Q4_K -> decodeQ4K(b, count, to);
      case Q5_K -> decodeQ5K(b, count, to);
      case Q6_K -> decodeQ6K(b, count, to);
    }
  }

  private static void decodePairs(WeightType type, byte[] b, int count, float[] to) {
    for (int k = 0; k < count; k++) {
      for (int row = 0; row < ROWS; row++) {
        final int at = ((k >> 1) * ROWS + row) * 4 + 2 * (k & 1);
        to[k * ROWS + row] =
            type == WeightType.F16 ? half(b, at) : Float.intBitsToFloat(bits(b, at) << 16);
      }
    }
  }

  private static void decodeQ8(byte[] b, int count, float[] to) {
    for (int k = 0, at = 0; k < count; k += 32, at += HALVES_BYTES + 32 * ROWS) {
      for (int row = 0; row < ROWS; row++) {
        final float scale = half(b, at + 2 * row);
        for (int i = 0; i < 32; i++) {
          to[(k + i) * ROWS + row] = b[at + HALVES_BYTES + i * ROWS + row] * scale;
        }
      }
    }
  }

  private static void decodeQ4(byte[] b, int count, float[] to) {
    for (int k = 0, at = 0; k < count; k += 32, at += HALVES_BYTES + 16 * ROWS) {
      for (int row = 0; row < ROWS; row++) {
        final float scale = half(b, at + 2 * row);
        for (int i = 0; i < 32; i++) {
          to[(k + i) * ROWS + row] = (nibble(b, at + HALVES_BYTES, i, row) - 8) * scale;
        }
      }
    }
  }

  private static void decodeQ5(WeightType type, byte[] b, int count, float[] to) {
    final boolean hasMinimums = Q5Panels.hasMinimums(type);
    final boolean hasFifths = Q5Panels.hasFifths(type);
    final int offset = hasMinimums ? 0 : 16;
    final int fifths = hasMinimums ? 2 * HALVES_BYTES : HALVES_BYTES;
    final int quants = hasFifths ? fifths + 4 * ROWS : fifths;
    for (int k = 0, at = 0; k < count; k += 32, at += quants + 16 * ROWS) {
      for (int row = 0; row < ROWS; row++) {
        final float scale = half(b, at + 2 * row);
        final float minimum = hasMinimums ? half(b, at + HALVES_BYTES + 2 * row) : -0f;
        for (int i = 0; i < 32; i++) {
          final int high = hasFifths ? b[at + fifths + i / 8 * ROWS + row] >> i % 8 & 1 : 0;
          final int bits = nibble(b, at + quants, i, row) | high << 4;
          to[(k + i) * ROWS + row] = scale * (bits - offset) + minimum;
        }
      }
    }
  }

  private static void decodeQ2K(byte[] b, int count, float[] to) {
    for (int k = 0, block = 0; k < count; k += 256, block += 2 * HALVES_BYTES + 16 * 6 * ROWS) {
      for (int g = 0; g < 16; g++) {
        final int group = block + 2 * HALVES_BYTES + g * 6 * ROWS;
        for (int row = 0; row < ROWS; row++) {
          final float scale = half(b, block + 2 * row) * b[group + row];
          final float minimum = half(b, block + HALVES_BYTES + 2 * row) * b[group + ROWS + row];
          final int low = word(b, group + 2 * ROWS + 4 * row);
          for (int i = 0; i < 16; i++) {
            to[(k + g * 16 + i) * ROWS + row] = scale * (low >> 2 * i & 3) - minimum;
          }
        }
      }
    }
  }

  private static void decodeQ3K(byte[] b, int count, float[] to) {
    for (int k = 0, block = 0; k < count; k += 256, block += HALVES_BYTES + 16 * 7 * ROWS) {
      for (int g = 0; g < 16; g++) {
        final int group = block + HALVES_BYTES + g * 7 * ROWS;
        for (int row = 0; row < ROWS; row++) {
          final float scale = half(b, block + 2 * row) * b[group + row];
          final int low = word(b, group + ROWS + 4 * row);
          final int high = bits(b, group + 5 * ROWS + 2 * row);
          for (int i = 0; i < 16; i++) {
            final int bits = low >> 2 * i & 3 | (high >> i & 1) << 2;
            to[(k + g * 16 + i) * ROWS + row] = scale * (bits - 4);
          }
        }
      }
    }
  }

  private static void decodeQ4K(byte[] b, int count, float[] to) {
    for (int k = 0, block = 0; k < count; k += 256, block += 2 * HALVES_BYTES + 8 * 18 * ROWS) {
      for (int g = 0; g < 8; g++) {
        final int group = block + 2 * HALVES_BYTES + g * 18 * ROWS;
        for (int row = 0; row < ROWS; row++) {
          final float scale = half(b, block + 2 * row) * b[group + row];
          final float minimum = half(b, block + HALVES_BYTES + 2 * row) * b[group + ROWS + row];
          for (int i = 0; i < 32; i++) {
            to[(k + g * 32 + i) * ROWS + row] =
                scale * nibble(b, group + 2 * ROWS, i, row) - minimum;
          }
        }
      }
    }
  }

  private static void decodeQ5K(byte[] b, int count, float[] to) {
    for (int k = 0, block = 0; k < count; k += 256, block += 2 * HALVES_BYTES + 8 * 34 * ROWS) {
      for (int g = 0; g < 8; g++) {
        final int group = block + 2 * HALVES_BYTES + g * 34 * ROWS;
        for (int row = 0; row < ROWS; row++) {
          final float scale = half(b, block + 2 * row) * b[group + row];
          final float minimum = half(b, block + HALVES_BYTES + 2 * row) * b[group + ROWS + row];
          for (int i = 0; i < 32; i++) {
            to[(k + g * 32 + i) * ROWS + row] = scale * b[group + (2 + i) * ROWS + row] - minimum;
          }
        }
      }
    }
  }

  private static void decodeQ6K(byte[] b, int count, float[] to) {
    for (int k = 0, block = 0; k < count; k += 256, block += HALVES_BYTES + 16 * 17 * ROWS) {
      for (int g = 0; g < 16; g++) {
        final int group = block + HALVES_BYTES + g * 17 * ROWS;
        for (int row = 0; row < ROWS; row++) {
          final float scale = half(b, block + 2 * row) * b[group + row];
          for (int i = 0; i < 16; i++) {
            to[(k + g * 16 + i) * ROWS + row] = scale * b[group + (1 + i) * ROWS + row];
          }
        }
      }
    }
  }

  /** Nibble {@code i} of a row in words of eight nibbles, 16 rows' words side by side. */
  private static int nibble(byte[] b, int words, int i, int row) {
    return b[words + (i >> 3) * 4 * ROWS + 4 * row + ((i & 7) >> 1)] >> 4 * (i & 1) & 0xF;
  }

  private static float half(byte[] b, int at) {
    return Float.float16ToFloat((short) bits(b, at));
  }

  private static int bits(byte[] b, int at) {
    return b[at] & 0xFF | (b[at + 1] & 0xFF) << 8;
  }

  private static int word(byte[] b, int at) {
    return bits(b, at) | bits(b, at + 2) << 16;
  }
}
