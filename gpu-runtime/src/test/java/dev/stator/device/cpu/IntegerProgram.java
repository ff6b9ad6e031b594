package dev.stator.device.cpu;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The programs {@code int8-block-1}, {@code bf16-pair-1} and {@code bf16-tile-1} of {@code
 * NUMERICS.md}, one scalar operation after another, from the values that {@link WeightDecoder}
 * reads.
 */
final class IntegerProgram {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int BLOCK = 32;

  /** A block of inputs. */
  private record Rounded(int[] quants, float scale) {
    int sum(int from, int to) {
      int sum = 0;
      for (int i = from; i < to; i++) sum += quants[i];
      return sum;
    }
  }

  private IntegerProgram() {}

  static float[] multiply(WeightMatrix source, Inputs.Form form, float[] x, int tokens) {
    final int columns = source.columnCount();
    final float[] y = new float[tokens * source.rowCount()];
    for (int row = 0; row < source.rowCount(); row++) {
      final float[] values = WeightDecoder.row(source, row);
      for (int t = 0; t < tokens; t++) {
        y[t * source.rowCount() + row] =
            switch (form) {
              case BF16 -> pairs(values, x, t * columns);
              case BF16_TILES -> tiles(values, x, t * columns);
              case INT8 -> blocks(source, row, values, x, t * columns);
              case FLOATS -> throw new IllegalArgumentException("not a rounded form");
            };
      }
    }
    return y;
  }

  private static float pairs(float[] w, float[] x, int offset) {
    float sum = 0;
    for (int k = 0; k < w.length; k += 2) {
      if (k + 1 < w.length) sum = flushed(Math.fma(bf16(w[k + 1]), bf16(x[offset + k + 1]), sum));
      sum = flushed(Math.fma(bf16(w[k]), bf16(x[offset + k]), sum));
    }
    return sum;
  }

  private static float tiles(float[] w, float[] x, int offset) {
    float sum = 0;
    for (int first = 0; first < w.length; first += BLOCK) {
      final float[] parts = {0, 0}; // Of even columns, of odd ones.
      for (int k = first; k < Math.min(w.length, first + BLOCK); k++) {
        parts[k % 2] = flushed(Math.fma(bf16(w[k]), bf16(x[offset + k]), parts[k % 2]));
      }
      sum = flushed(sum + flushed(parts[0] + parts[1]));
    }
    return sum;
  }

  /** To 16 bits, ties to even; a denormal counts as zero. */
  private static float bf16(float value) {
    final int bits = Float.floatToRawIntBits(value);
    final int rounded = (bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000;
    return flushed(Float.intBitsToFloat(rounded));
  }

  private static float flushed(float value) {
    return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0f, value) : value;
  }

  private static float blocks(WeightMatrix source, int row, float[] values, float[] x, int offset) {
    float sum = 0;
    for (int b = 0; b < values.length / BLOCK; b++) {
      final Rounded inputs = round(x, offset + b * BLOCK);
      sum =
          switch (source.type()) {
            case Q8_0, Q4_0, Q5_0, IQ4_NL -> plain(source, row, b, values, inputs, sum);
            case Q4_K, Q5_K -> withMinimum(source, row, b, values, inputs, sum);
            case Q6_K -> twoScales(source, row, b, values, inputs, sum);
            default -> throw new IllegalArgumentException("no program for " + source.type());
          };
    }
    return sum;
  }

  private static Rounded round(float[] x, int from) {
    float largest = 0;
    for (int i = 0; i < BLOCK; i++) largest = Math.max(largest, Math.abs(x[from + i]));
    final float inverse = largest >= 1e-36f ? 127f / largest : 0f;
    final int[] quants = new int[BLOCK];
    for (int i = 0; i < BLOCK; i++) quants[i] = (int) Math.rint(x[from + i] * inverse);
    return new Rounded(quants, inverse == 0f ? 0f : largest / 127f);
  }

  private static float plain(
      WeightMatrix source, int row, int b, float[] values, Rounded inputs, float sum) {
    final float scale = half(source, row, b, 0);
    int dots = 0;
    for (int i = 0; i < BLOCK; i++) {
      dots += quant(values[b * BLOCK + i], scale) * inputs.quants()[i];
    }
    return Math.fma(dots, scale * inputs.scale(), sum);
  }

  private static float withMinimum(
      WeightMatrix source, int row, int b, float[] values, Rounded inputs, float sum) {
    final MemorySegment data = source.data();
    final long scales = blockOffset(source, row, b / 8) + 4;
    final float scale = half(source, row, b / 8, 0) * WeightDecoder.groupScale(data, scales, b % 8);
    final float minimum = half(source, row, b / 8, 2) * WeightDecoder.groupMin(data, scales, b % 8);
    int dots = 0;
    for (int i = 0; i < BLOCK; i++) {
      dots += quant(values[b * BLOCK + i] + minimum, scale) * inputs.quants()[i];
    }
    final float positive = Math.fma(dots, scale * inputs.scale(), sum);
    return Math.fma(-minimum, inputs.scale() * inputs.sum(0, BLOCK), positive);
  }

  private static float twoScales(
      WeightMatrix source, int row, int b, float[] values, Rounded inputs, float sum) {
    final float half = half(source, row, b / 8, 208);
    int dots = 0;
    for (int group = 0; group < 2; group++) {
      final long at = blockOffset(source, row, b / 8) + 192 + b % 8 * 2 + group;
      final int scale = source.data().get(ValueLayout.JAVA_BYTE, at);
      int part = 0;
      for (int i = 16 * group; i < 16 * group + 16; i++) {
        part += quant(values[b * BLOCK + i], half * scale) * inputs.quants()[i];
      }
      dots += scale * part;
    }
    return Math.fma(dots, half * inputs.scale(), sum);
  }

  private static int quant(float value, float scale) {
    return scale == 0 ? 0 : Math.round(value / scale);
  }

  private static float half(WeightMatrix source, int row, int block, int offset) {
    return Float.float16ToFloat(source.data().get(SHORT, blockOffset(source, row, block) + offset));
  }

  private static long blockOffset(WeightMatrix source, int row, int block) {
    return row * source.type().byteSize(source.columnCount())
        + (long) block * source.type().blockBytes();
  }
}
