package dev.stator.model.file;

import dev.stator.model.ModelFormatException;

/**
 * Types of GGUF metadata values; the ordinal is the number in the file.
 *
 * <p>Source: the GGUF specification, {@code docs/gguf.md} of the ggml project.
 */
enum GgufValueType {
  UINT8("an 8-bit unsigned integer", 1),
  INT8("an 8-bit integer", 1),
  UINT16("a 16-bit unsigned integer", 2),
  INT16("a 16-bit integer", 2),
  UINT32("a 32-bit unsigned integer", 4),
  INT32("a 32-bit integer", 4),
  FLOAT32("a 32-bit float", 4),
  BOOL("a boolean", 1),
  /** A 64-bit length and that many bytes of UTF-8. */
  STRING("a string", 0),
  /** The elements' type, a 64-bit count, the elements. */
  ARRAY("an array", 0),
  UINT64("a 64-bit unsigned integer", 8),
  INT64("a 64-bit integer", 8),
  FLOAT64("a 64-bit float", 8);

  private static final GgufValueType[] TYPES = values();

  private final String words;
  private final int byteLength;

  GgufValueType(String words, int byteLength) {
    this.words = words;
    this.byteLength = byteLength;
  }

  static GgufValueType of(int number) {
    if (number < 0 || number >= TYPES.length) {
      throw new ModelFormatException(
          "a metadata value has type "
              + Integer.toUnsignedString(number)
              + ", expected 0 to "
              + (TYPES.length - 1));
    }
    return TYPES[number];
  }

  /** The type as a sentence names it. */
  String words() {
    return words;
  }

  boolean isFixedLength() {
    return byteLength > 0;
  }

  /** Bytes of a value; for strings and arrays, the fewest that one can have. */
  int byteLengthMin() {
    return switch (this) {
      case STRING -> Long.BYTES;
      case ARRAY -> Integer.BYTES + Long.BYTES;
      default -> byteLength;
    };
  }

  boolean isInteger() {
    return switch (this) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      case FLOAT32, BOOL, STRING, ARRAY, FLOAT64 -> false;
    };
  }
}
