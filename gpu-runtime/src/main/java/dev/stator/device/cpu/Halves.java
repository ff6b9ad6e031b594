package dev.stator.device.cpu;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Half floats without a conversion instruction: sign and payload are moved to where float32 has
 * them, and the exponent's bias is mended by a product with 2^112, which is exact for all finite
 * values, denormal ones too.
 */
final class Halves {
  /** Float bits that a half's sign (31) and payload (27..13) take. */
  static final int MASK = 0x8FFFE000;

  static final float UNIT = 0x1p112f;

  private Halves() {}

  /**
   * @param highByte of a half
   */
  static boolean isFinite(int highByte) {
    return (highByte & 0x7C) != 0x7C;
  }

  static FloatVector load(MemorySegment segment, long offset) {
    return ((IntVector)
            ShortVector.fromMemorySegment(Lanes.SHORTS, segment, offset, PanelMatrix.ORDER)
                .convertShape(VectorOperators.S2I, Lanes.INTS, 0))
        .lanewise(VectorOperators.LSHL, 13)
        .and(MASK)
        .reinterpretAsFloats()
        .mul(UNIT);
  }
}
