package dev.stator.testing;

import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightScales;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;

/** Random weights of any type: every bit pattern that is finite. */
public final class RandomWeights {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private RandomWeights() {}

  /** Values of a standard deviation of some {@code scale}. */
  public static WeightMatrix matrix(
      String name, WeightType type, int rows, int columns, double scale, Random random) {
    final byte[] bytes = new byte[Math.toIntExact(rows * type.byteSize(columns))];
    final MemorySegment data = MemorySegment.ofArray(bytes);
    random.nextBytes(bytes);
    for (int at = 0; at < bytes.length; at += type.blockBytes()) {
      switch (type) {
        case F32 -> data.set(FLOAT, at, (float) (random.nextGaussian() * scale));
        case F16 -> half(data, at, random.nextGaussian() * scale);
        case BF16 -> data.set(SHORT, at, bfloat(random.nextGaussian() * scale));
        case Q8_0 -> half(data, at, random.nextGaussian() * scale / 74);
        case Q4_0 -> half(data, at, random.nextGaussian() * scale / 4.6);
        case Q4_1 -> {
          half(data, at, random.nextGaussian() * scale / 4.6);
          half(data, at + 2, random.nextGaussian() * scale / 4.6 * 7.5);
        }
        case Q5_0 -> half(data, at, random.nextGaussian() * scale / 9.2);
        case Q5_1 -> {
          half(data, at, random.nextGaussian() * scale / 9.2);
          half(data, at + 2, random.nextGaussian() * scale / 9.2 * 15);
        }
        case IQ4_NL -> half(data, at, random.nextGaussian() * scale / 70);
        case Q2_K -> {
          half(data, at + 80, scale / 1.1 / 8 * random.nextGaussian());
          half(data, at + 82, scale / 1.1 / 8 * 1.5 * random.nextGaussian());
        }
        case Q3_K -> half(data, at + 108, scale / 2.3 / 18 * random.nextGaussian());
        case Q4_K -> {
          half(data, at, scale / 4.6 / 32 * random.nextGaussian());
          half(data, at + 2, scale / 4.6 / 32 * 7.5 * random.nextGaussian());
        }
        case Q5_K -> {
          half(data, at, scale / 9.2 / 32 * random.nextGaussian());
          half(data, at + 2, scale / 9.2 / 32 * 15 * random.nextGaussian());
        }
        case Q6_K -> half(data, at + 208, scale / 18.5 / 64 * random.nextGaussian());
        case F8_E4M3 -> bytes[at] = (bytes[at] & 0x7F) == 0x7F ? 0 : bytes[at];
      }
    }
    final WeightScales scales =
        type == WeightType.F8_E4M3 ? scales(rows, columns, scale, random) : null;
    return new WeightMatrix(name, type, rows, columns, scales, data);
  }

  /** Of any of the three kinds. */
  private static WeightScales scales(int rows, int columns, double scale, Random random) {
    final int size = 128;
    final int squares = Math.ceilDiv(rows, size) * Math.ceilDiv(columns, size);
    final int kind = random.nextInt(3);
    final float[] factors = new float[kind == 0 ? 1 : kind == 1 ? rows : squares];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) (scale / 110 * (0.5 + random.nextDouble()));
    }
    if (kind == 0) return WeightScales.ofTensor(factors[0]);
    if (kind == 1) return WeightScales.ofRows(factors);
    return WeightScales.ofSquares(factors, size, columns);
  }

  /** One row of F32 around {@code mean}. */
  public static WeightMatrix vector(
      String name, WeightType type, int length, double mean, double scale, Random random) {
    final byte[] bytes = new byte[Math.toIntExact(type.byteSize(length))];
    final MemorySegment data = MemorySegment.ofArray(bytes);
    for (int i = 0; i < length; i++) {
      final double value = mean + scale * random.nextGaussian();
      switch (type) {
        case F32 -> data.set(FLOAT, 4L * i, (float) value);
        case F16 -> half(data, 2L * i, value);
        case BF16 -> data.set(SHORT, 2L * i, bfloat(value));
        default -> throw new IllegalArgumentException("no vectors of " + type);
      }
    }
    return new WeightMatrix(name, type, 1, length, data);
  }

  public static float[] activations(int count, Random random) {
    final float[] x = new float[count];
    for (int i = 0; i < count; i++) x[i] = (float) random.nextGaussian();
    return x;
  }

  private static void half(MemorySegment data, long offset, double value) {
    data.set(SHORT, offset, Float.floatToFloat16((float) value));
  }

  private static short bfloat(double value) {
    return (short) (Float.floatToRawIntBits((float) value) >>> 16);
  }
}
