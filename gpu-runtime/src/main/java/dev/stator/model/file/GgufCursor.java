package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A reading position in a GGUF header that never leaves the file, nor the header's limit. Nothing
 * is allocated before the bytes it is made of are known to be there. One thread.
 */
final class GgufCursor {
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment file;
  private final long end;
  private final ModelFileLimits limits;
  private long position;

  GgufCursor(MemorySegment file, ModelFileLimits limits) {
    this.file = file;
    this.end = Math.min(file.byteSize(), limits.ggufHeaderBytesMax());
    this.limits = limits;
  }

  long position() {
    return position;
  }

  long remaining() {
    return end - position;
  }

  int readInt(String what) {
    return file.get(INT, advance(Integer.BYTES, what));
  }

  long readLong(String what) {
    return file.get(LONG, advance(Long.BYTES, what));
  }

  /** A count of things of at least {@code bytesMin} bytes each, so that the file can hold them. */
  long readCount(String what, int bytesMin) {
    final long count = readLong(what);
    if (count < 0 || count > remaining() / bytesMin) {
      throw new ModelFormatException(
          "the %s is %s, but only %d bytes follow"
              .formatted(what, Long.toUnsignedString(count), remaining()));
    }
    return count;
  }

  /** The name of a key or a tensor; broken UTF-8 is refused. */
  String readName(String what) {
    final long length = readCount("length of a " + what, 1);
    if (length == 0 || length > limits.ggufNameBytesMax()) {
      throw new ModelFormatException(
          "a %s has %d bytes, expected 1 to %d".formatted(what, length, limits.ggufNameBytesMax()));
    }
    final byte[] bytes = file.asSlice(advance(length, what), length).toArray(ValueLayout.JAVA_BYTE);
    final String name = new String(bytes, StandardCharsets.UTF_8);
    if (name.indexOf('\uFFFD') >= 0) {
      throw new ModelFormatException(
          "the %s %s is not UTF-8".formatted(what, Messages.quoted(name)));
    }
    return name;
  }

  void skipString() {
    final long length = readCount("length of a string", 1);
    if (length > limits.ggufStringBytesMax()) {
      throw new ModelFormatException(
          "a string has %d bytes, the limit is %d".formatted(length, limits.ggufStringBytesMax()));
    }
    position += length;
  }

  /** Passes over one value of the given type. */
  void skipValue(GgufValueType type, int depth) {
    switch (type) {
      case STRING -> skipString();
      case ARRAY -> {
        final GgufValueType elementType = GgufValueType.of(readInt("type of an array"));
        skipElements(
            elementType, readCount("count of an array", elementType.byteLengthMin()), depth + 1);
      }
      default -> advance(type.byteLengthMin(), "metadata value");
    }
  }

  /** Passes over {@code count} values that were checked to fit. */
  void skipElements(GgufValueType type, long count, int depth) {
    if (depth > limits.ggufArrayDepthMax()) {
      throw new ModelFormatException("arrays are nested deeper than " + limits.ggufArrayDepthMax());
    }
    if (type.isFixedLength()) {
      position += count * type.byteLengthMin();
    } else {
      for (long i = 0; i < count; i++) skipValue(type, depth);
    }
  }

  private long advance(long byteCount, String what) {
    if (byteCount > remaining()) {
      throw new ModelFormatException(
          end < file.byteSize()
              ? "the header is longer than its limit of " + end + " bytes"
              : "the file ends at byte %d in the middle of a %s".formatted(end, what));
    }
    final long start = position;
    position += byteCount;
    return start;
  }
}
