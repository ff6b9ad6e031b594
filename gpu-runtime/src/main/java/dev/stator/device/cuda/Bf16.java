package dev.stator.device.cuda;

/** The upper half of a float. */
final class Bf16 {
  private Bf16() {}

  /** Rounds to nearest, ties to even. */
  static short of(float value) {
    final int bits = Float.floatToRawIntBits(value);
    return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
  }
}
