package dev.stator.model;

/**
 * How the values of a weight are stored. Values come in blocks; a row is a whole number of blocks.
 */
public enum WeightType {
  F32(1, 4),
  F16(1, 2),
  BF16(1, 2),
  /** 32 signed bytes and an f16 scale. */
  Q8_0(32, 34),
  /** 32 nibbles, offset by 8, and an f16 scale. */
  Q4_0(32, 18),
  /** 32 nibbles, an f16 scale and an f16 minimum. */
  Q4_1(32, 20),
  /** 32 five-bit values, offset by 16, and an f16 scale. */
  Q5_0(32, 22),
  /** 32 five-bit values, an f16 scale and an f16 minimum. */
  Q5_1(32, 24),
  /** 32 nibbles that number 16 signed values, and an f16 scale. */
  IQ4_NL(32, 18),
  /** 256 two-bit values in 16 groups with 4-bit scales and minimums. */
  Q2_K(256, 84),
  /** 256 three-bit values, offset by 4, in 16 groups with 6-bit scales, offset by 32. */
  Q3_K(256, 110),
  /** 256 nibbles in 8 groups with 6-bit scales and minimums. */
  Q4_K(256, 144),
  /** 256 five-bit values in 8 groups with 6-bit scales and minimums. */
  Q5_K(256, 176),
  /** 256 six-bit values in 16 groups with 8-bit scales. */
  Q6_K(256, 210),
  /**
   * A sign, 4 bits of exponent with a bias of 7, 3 bits of mantissa; all ones but for the sign are
   * no number, and nothing is infinite. Factors lie beside: {@link WeightScales}.
   */
  F8_E4M3(1, 1);

  private final int blockLength;
  private final int blockBytes;

  WeightType(int blockLength, int blockBytes) {
    this.blockLength = blockLength;
    this.blockBytes = blockBytes;
  }

  /** Values in a block. */
  public int blockLength() {
    return blockLength;
  }

  /** Bytes of a block. */
  public int blockBytes() {
    return blockBytes;
  }

  /**
   * Bytes of {@code valueCount} values.
   *
   * @throws ModelFormatException when they are not a whole number of blocks
   */
  public long byteSize(long valueCount) {
    if (valueCount % blockLength != 0) {
      throw new ModelFormatException(
          valueCount + " values are not a whole number of " + this + " blocks of " + blockLength);
    }
    return Math.multiplyExact(valueCount / blockLength, (long) blockBytes);
  }
}
