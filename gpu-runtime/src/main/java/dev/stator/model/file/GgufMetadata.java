package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import dev.stator.model.text.TokenizerMetadata;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A GGUF file's keys and values. Values stay in the file and are decoded when asked for, so asking
 * twice decodes twice.
 *
 * <p>An absent key is empty (or refused by the {@code require} methods); a value of another type
 * than the one asked for is refused. Any thread, while the file is mapped.
 */
public final class GgufMetadata implements TokenizerMetadata {
  /**
   * One value's place.
   *
   * @param elementType of an array; {@code null} for others
   * @param count elements of an array
   * @param start of the value's bytes, or of an array's first element
   * @param end of the value's bytes
   */
  private record Entry(
      GgufValueType type, GgufValueType elementType, long count, long start, long end) {
    String words() {
      return elementType == null
          ? type.words()
          : "an array of values that are each " + elementType.words();
    }
  }

  private final MemorySegment file;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private GgufMetadata(MemorySegment file) {
    this.file = file;
  }

  /** Reads {@code count} keys and finds where their values lie. */
  static GgufMetadata read(MemorySegment file, GgufCursor cursor, long count) {
    final GgufMetadata metadata = new GgufMetadata(file);
    for (long i = 0; i < count; i++) {
      final String key = cursor.readName("metadata key");
      if (metadata.entries.put(key, readEntry(file, cursor)) != null) {
        throw new ModelFormatException(
            "the metadata key " + Messages.quoted(key) + " appears twice");
      }
    }
    return metadata;
  }

  private static Entry readEntry(MemorySegment file, GgufCursor cursor) {
    final GgufValueType type = GgufValueType.of(cursor.readInt("type of a metadata value"));
    if (type == GgufValueType.ARRAY) {
      final GgufValueType elementType = GgufValueType.of(cursor.readInt("type of an array"));
      final long count = cursor.readCount("count of an array", elementType.byteLengthMin());
      final long start = cursor.position();
      cursor.skipElements(elementType, count, 1);
      return new Entry(type, elementType, count, start, cursor.position());
    }
    final long start = cursor.position();
    cursor.skipValue(type, 0);
    if (type == GgufValueType.BOOL && (file.get(ValueLayout.JAVA_BYTE, start) & 0xFE) != 0) {
      throw new ModelFormatException(
          "a boolean metadata value is "
              + file.get(ValueLayout.JAVA_BYTE, start)
              + ", expected 0 or 1");
    }
    return new Entry(type, null, 0, start, cursor.position());
  }

  /** All keys, in the file's order. */
  public Set<String> keys() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  public boolean has(String key) {
    return entries.containsKey(key);
  }

  /** Elements of an array, 0 when it is absent. */
  public int arrayLength(String key) {
    final Entry entry = entries.get(key);
    if (entry == null) return 0;
    if (entry.type != GgufValueType.ARRAY) throw wrongType(key, entry, "an array");
    return (int) entry.count; // The header's limit keeps it within an int.
  }

  @Override
  public Optional<String> string(String key) {
    final Entry entry = entries.get(key);
    if (entry == null) return Optional.empty();
    if (entry.type != GgufValueType.STRING) throw wrongType(key, entry, "a string");
    final long start = entry.start + Long.BYTES;
    final byte[] bytes = file.asSlice(start, entry.end - start).toArray(ValueLayout.JAVA_BYTE);
    return Optional.of(new String(bytes, StandardCharsets.UTF_8));
  }

  @Override
  public OptionalLong integer(String key) {
    final Entry entry = entries.get(key);
    if (entry == null) return OptionalLong.empty();
    if (!entry.type.isInteger()) throw wrongType(key, entry, "an integer");
    return OptionalLong.of(integerAt(key, entry.type, entry.start));
  }

  /**
   * An integer that fits 32 bits.
   *
   * @throws ModelFormatException also when it does not fit
   */
  public OptionalInt int32(String key) {
    final OptionalLong value = integer(key);
    if (value.isEmpty()) return OptionalInt.empty();
    if (value.getAsLong() != (int) value.getAsLong())
      throw tooLarge(key, Long.toString(value.getAsLong()));
    return OptionalInt.of((int) value.getAsLong());
  }

  /** Either float type. */
  public OptionalDouble floating(String key) {
    final Entry entry = entries.get(key);
    if (entry == null) return OptionalDouble.empty();
    return switch (entry.type) {
      case FLOAT32 -> OptionalDouble.of(file.get(GgufCursor.FLOAT, entry.start));
      case FLOAT64 -> OptionalDouble.of(file.get(GgufCursor.DOUBLE, entry.start));
      default -> throw wrongType(key, entry, "a float");
    };
  }

  @Override
  public Optional<Boolean> flag(String key) {
    final Entry entry = entries.get(key);
    if (entry == null) return Optional.empty();
    if (entry.type != GgufValueType.BOOL) throw wrongType(key, entry, "a boolean");
    return Optional.of(file.get(ValueLayout.JAVA_BYTE, entry.start) != 0);
  }

  @Override
  public List<String> strings(String key) {
    final Entry entry = entries.get(key);
    if (entry == null) return List.of();
    if (entry.elementType != GgufValueType.STRING)
      throw wrongType(key, entry, "an array of strings");
    final byte[] bytes =
        file.asSlice(entry.start, entry.end - entry.start).toArray(ValueLayout.JAVA_BYTE);
    final MemorySegment lengths = MemorySegment.ofArray(bytes);
    final String[] strings = new String[(int) entry.count];
    int position = 0;
    for (int i = 0; i < strings.length; i++) {
      final int length = (int) lengths.get(GgufCursor.LONG, position);
      position += Long.BYTES;
      strings[i] = new String(bytes, position, length, StandardCharsets.UTF_8);
      position += length;
    }
    return Collections.unmodifiableList(Arrays.asList(strings));
  }

  /** Integers of any width that fit 32 bits. */
  @Override
  public int[] ints(String key) {
    final Entry entry = entries.get(key);
    if (entry == null) return new int[0];
    if (entry.elementType == null || !entry.elementType.isInteger())
      throw wrongType(key, entry, "an array of integers");
    final int[] values = new int[(int) entry.count];
    final int byteLength = entry.elementType.byteLengthMin();
    for (int i = 0; i < values.length; i++) {
      final long value = integerAt(key, entry.elementType, entry.start + (long) i * byteLength);
      if (value != (int) value) throw tooLarge(key, Long.toString(value));
      values[i] = (int) value;
    }
    return values;
  }

  @Override
  public float[] floats(String key) {
    final Entry entry = entries.get(key);
    if (entry == null) return new float[0];
    if (entry.elementType != GgufValueType.FLOAT32)
      throw wrongType(key, entry, "an array of 32-bit floats");
    return file.asSlice(entry.start, entry.end - entry.start).toArray(GgufCursor.FLOAT);
  }

  public String requireString(String key) {
    return string(key).orElseThrow(() -> missing(key, "a string"));
  }

  /** An integer that fits 32 bits. */
  public int requireInt(String key) {
    return int32(key).orElseThrow(() -> missing(key, "an integer"));
  }

  public double requireFloat(String key) {
    return floating(key).orElseThrow(() -> missing(key, "a float"));
  }

  private long integerAt(String key, GgufValueType type, long offset) {
    return switch (type) {
      case UINT8 -> file.get(ValueLayout.JAVA_BYTE, offset) & 0xFFL;
      case INT8 -> file.get(ValueLayout.JAVA_BYTE, offset);
      case UINT16 -> file.get(GgufCursor.SHORT, offset) & 0xFFFFL;
      case INT16 -> file.get(GgufCursor.SHORT, offset);
      case UINT32 -> file.get(GgufCursor.INT, offset) & 0xFFFF_FFFFL;
      case INT32 -> file.get(GgufCursor.INT, offset);
      case INT64 -> file.get(GgufCursor.LONG, offset);
      case UINT64 -> {
        final long value = file.get(GgufCursor.LONG, offset);
        if (value < 0) throw tooLarge(key, Long.toUnsignedString(value));
        yield value;
      }
      case FLOAT32, BOOL, STRING, ARRAY, FLOAT64 -> throw new AssertionError(type);
    };
  }

  private static ModelFormatException missing(String key, String expected) {
    return new ModelFormatException("the metadata has no " + key + ", expected " + expected);
  }

  private static ModelFormatException wrongType(String key, Entry entry, String expected) {
    return new ModelFormatException(
        "the metadata's " + key + " is " + entry.words() + ", expected " + expected);
  }

  private static ModelFormatException tooLarge(String key, String value) {
    return new ModelFormatException(
        "the metadata's " + key + " is " + value + ", expected a smaller number");
  }
}
