package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.TestModels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
  private static final ModelFileLimits LIMITS = ModelFileLimits.load();
  private static final byte[] EIGHT_FLOATS = floats(1, 2, 3, 4, 5, 6, 7, 8);

  @Test
  void shouldReadEveryTypeOfValue() {
    final GgufMetadata metadata =
        read(new GgufWriter()
                .put("u8", GgufValueType.UINT8, b -> b.put((byte) 200))
                .put("i8", GgufValueType.INT8, b -> b.put((byte) -2))
                .put("u16", GgufValueType.UINT16, b -> b.putShort((short) 60_000))
                .put("i16", GgufValueType.INT16, b -> b.putShort((short) -3))
                .put("u32", GgufValueType.UINT32, b -> b.putInt((int) 4_000_000_000L))
                .put("i32", GgufValueType.INT32, b -> b.putInt(-4))
                .put("u64", GgufValueType.UINT64, b -> b.putLong(Long.MAX_VALUE))
                .put("i64", GgufValueType.INT64, b -> b.putLong(-5))
                .put("f32", 0.5f)
                .put("f64", GgufValueType.FLOAT64, b -> b.putDouble(0.1))
                .put("yes", true)
                .put("no", false)
                .put("text", "größe 👋")
                .put("words", List.of("a", "", "ü"))
                .put("ints", new int[] {1, -1})
                .put("floats", new float[] {1.5f, -0f})
                .put(
                    "bytes",
                    GgufValueType.ARRAY,
                    b ->
                        b.putInt(GgufValueType.UINT8.ordinal())
                            .putLong(2)
                            .put((byte) 255)
                            .put((byte) 1)))
            .metadata();
    assertEquals(OptionalLong.of(200), metadata.integer("u8"));
    assertEquals(OptionalLong.of(-2), metadata.integer("i8"));
    assertEquals(OptionalLong.of(60_000), metadata.integer("u16"));
    assertEquals(OptionalLong.of(-3), metadata.integer("i16"));
    assertEquals(OptionalLong.of(4_000_000_000L), metadata.integer("u32"));
    assertEquals(-4, metadata.requireInt("i32"));
    assertEquals(OptionalLong.of(Long.MAX_VALUE), metadata.integer("u64"));
    assertEquals(OptionalLong.of(-5), metadata.integer("i64"));
    assertEquals(0.5, metadata.requireFloat("f32"));
    assertEquals(OptionalDouble.of(0.1), metadata.floating("f64"));
    assertEquals(Optional.of(true), metadata.flag("yes"));
    assertEquals(Optional.of(false), metadata.flag("no"));
    assertEquals("größe 👋", metadata.requireString("text"));
    assertEquals(List.of("a", "", "ü"), metadata.strings("words"));
    assertEquals(3, metadata.arrayLength("words"));
    assertArrayEquals(new int[] {1, -1}, metadata.ints("ints"));
    assertArrayEquals(new int[] {255, 1}, metadata.ints("bytes"));
    assertArrayEquals(new float[] {1.5f, -0f}, metadata.floats("floats"));
  }

  @Test
  void shouldTakeAbsentKeysAsEmptyAndRefuseThemWhereRequired() {
    final GgufMetadata metadata = read(new GgufWriter().put("there", 1)).metadata();
    assertTrue(metadata.has("there"));
    assertFalse(metadata.has("x"));
    assertEquals(Optional.empty(), metadata.string("x"));
    assertEquals(OptionalLong.empty(), metadata.integer("x"));
    assertEquals(OptionalDouble.empty(), metadata.floating("x"));
    assertEquals(Optional.empty(), metadata.flag("x"));
    assertEquals(List.of(), metadata.strings("x"));
    assertEquals(0, metadata.ints("x").length);
    assertEquals(0, metadata.floats("x").length);
    assertEquals(0, metadata.arrayLength("x"));
    assertMessage("the metadata has no x, expected an integer", () -> metadata.requireInt("x"));
    assertMessage("the metadata has no x, expected a string", () -> metadata.requireString("x"));
    assertMessage("the metadata has no x, expected a float", () -> metadata.requireFloat("x"));
  }

  @Test
  void shouldRefuseValuesOfAnotherTypeThanAskedFor() {
    final GgufMetadata metadata =
        read(new GgufWriter()
                .put("n", 1)
                .put("s", "x")
                .put("list", List.of("x"))
                .put("big", GgufValueType.UINT64, b -> b.putLong(-1)))
            .metadata();
    assertMessage(
        "the metadata's n is a 32-bit unsigned integer, expected a string",
        () -> metadata.string("n"));
    assertMessage("the metadata's s is a string, expected an integer", () -> metadata.integer("s"));
    assertMessage("the metadata's s is a string, expected a float", () -> metadata.floating("s"));
    assertMessage("the metadata's s is a string, expected a boolean", () -> metadata.flag("s"));
    assertMessage(
        "the metadata's s is a string, expected an array of strings", () -> metadata.strings("s"));
    assertMessage(
        "the metadata's list is an array of values that are each a string, expected an array of"
            + " integers",
        () -> metadata.ints("list"));
    assertMessage(
        "the metadata's list is an array of values that are each a string, expected an array of"
            + " 32-bit floats",
        () -> metadata.floats("list"));
    assertMessage(
        "the metadata's big is 18446744073709551615, expected a smaller number",
        () -> metadata.requireInt("big"));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void shouldReadTensorsWhereTheyLie(int version) {
    final GgufFile file =
        read(
            new GgufWriter()
                .version(version)
                .alignment(64)
                .tensor("vector", GgmlType.F32, new long[] {3}, floats(1, 2, 3))
                .tensor("matrix", GgmlType.F32, new long[] {4, 2}, EIGHT_FLOATS));
    assertEquals(version, file.version());
    assertEquals(List.of("vector", "matrix"), List.copyOf(file.names()));
    final WeightMatrix vector = file.matrix("vector");
    assertEquals(1, vector.rowCount());
    assertArrayEquals(new float[] {1, 2, 3}, WeightDecoder.row(vector, 0));
    final WeightMatrix matrix = file.matrix("matrix");
    assertEquals(2, matrix.rowCount());
    assertEquals(4, matrix.columnCount());
    assertArrayEquals(new float[] {5, 6, 7, 8}, WeightDecoder.row(matrix, 1));
  }

  @Test
  void shouldReadNestedArraysPast() {
    final GgufFile file =
        read(
            new GgufWriter()
                .put(
                    "nested",
                    GgufValueType.ARRAY,
                    b -> nestArrays(b, LIMITS.ggufArrayDepthMax() - 1))
                .put("after", 7));
    assertEquals(7, file.metadata().requireInt("after"));
    assertRefused(
        "arrays are nested deeper than 4",
        new GgufWriter()
            .put("nested", GgufValueType.ARRAY, b -> nestArrays(b, LIMITS.ggufArrayDepthMax()))
            .bytes());
  }

  private static void nestArrays(ByteBuffer buffer, int depth) {
    for (int i = 0; i < depth; i++) buffer.putInt(GgufValueType.ARRAY.ordinal()).putLong(1);
    buffer.putInt(GgufValueType.UINT8.ordinal()).putLong(1).put((byte) 1);
  }

  @Test
  void shouldRefuseWhatIsNoGguf() {
    assertRefused("the file has 0 bytes and is no GGUF file", new byte[0]);
    assertRefused(
        "the file begins with 'PK\uFFFD\uFFFD', expected 'GGUF'",
        new byte[] {'P', 'K', 3, 4, 0, 0});
    assertRefused("GGUF version 1, expected 2 or 3", new GgufWriter().version(1).bytes());
    assertRefused("GGUF version 4294967295, expected 2 or 3", new GgufWriter().version(-1).bytes());
    assertRefused(
        "the file is big-endian, expected a little-endian GGUF file",
        new GgufWriter().version(3 << 24).bytes());
  }

  @ParameterizedTest
  @CsvSource({
    "8, the tensor count is 9223372036854775807",
    "16, the metadata count is 9223372036854775807",
    "24, the length of a metadata key is 9223372036854775807"
  })
  void shouldRefuseCountsThatTheFileCannotHold(int offset, String message) {
    final byte[] bytes = new GgufWriter().put("key", "value").bytes();
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(offset, Long.MAX_VALUE);
    assertRefused(message + ", but only " + (bytes.length - offset - 8) + " bytes follow", bytes);
  }

  @Test
  void shouldRefuseArraysAndStringsThatTheFileCannotHold() {
    assertRefusedStart(
        "the count of an array is 4294967296, but only ",
        new GgufWriter()
            .put(
                "a",
                GgufValueType.ARRAY,
                b -> b.putInt(GgufValueType.STRING.ordinal()).putLong(1L << 32))
            .bytes());
    assertRefusedStart(
        "the length of a string is 18446744073709551615, but only ",
        new GgufWriter().put("a", GgufValueType.STRING, b -> b.putLong(-1)).bytes());
  }

  @Test
  void shouldRefuseBrokenMetadata() {
    assertRefused(
        "a metadata value has type 13, expected 0 to 12",
        new GgufWriter().putType("k", 13).bytes());
    assertRefused(
        "a boolean metadata value is 2, expected 0 or 1",
        new GgufWriter().put("k", GgufValueType.BOOL, b -> b.put((byte) 2)).bytes());
    assertRefusedStart(
        "a metadata key has 0 bytes, expected 1 to ", new GgufWriter().put("", 1).bytes());
    assertRefused(
        "general.alignment is 33, expected a power of two up to 1048576",
        new GgufWriter().alignment(33).bytes());
    final byte[] twice = new GgufWriter().put("aa", 1).put("ab", 2).bytes();
    twice[24 + 8 + 2 + 4 + 4 + 8 + 1] = 'a';
    assertRefused("the metadata key 'aa' appears twice", twice);
  }

  @Test
  void shouldRefuseBrokenTensors() {
    assertRefused(
        "tensor 't': it has 0 dimensions, expected 1 to 4",
        new GgufWriter().tensor("t", GgmlType.F32, new long[0], EIGHT_FLOATS).bytes());
    assertRefused(
        "tensor 't': its dimensions [4294967296, 4294967296] are out of range",
        new GgufWriter()
            .tensor("t", GgmlType.F32, new long[] {1L << 32, 1L << 32}, EIGHT_FLOATS)
            .bytes());
    assertRefused(
        "tensor 't': its dimensions [8, -1] are out of range",
        new GgufWriter().tensor("t", GgmlType.F32, new long[] {8, -1}, EIGHT_FLOATS).bytes());
    assertRefused(
        "tensor 't': its rows have 8 values, expected a multiple of 32 for type Q8_0",
        new GgufWriter().tensor("t", GgmlType.Q8_0, new long[] {8}, EIGHT_FLOATS).bytes());
    assertRefused(
        "tensor 't': unknown tensor type 77, supported are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0,"
            + " Q5_1, IQ4_NL, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K",
        new GgufWriter().tensor("t", 77, new long[] {8}, EIGHT_FLOATS).bytes());
    assertRefused(
        "tensor 't' needs 36 bytes at offset 0 of the tensor data, which has 32 bytes; is the file"
            + " complete?",
        new GgufWriter().tensor("t", GgmlType.F32, new long[] {9}, EIGHT_FLOATS).bytes());
  }

  @Test
  void shouldRefuseTensorsThatOverlapOrAreNotAligned() {
    final byte[] bytes =
        new GgufWriter()
            .tensor("a", GgmlType.F32, new long[] {8}, EIGHT_FLOATS)
            .tensor("b", GgmlType.F32, new long[] {8}, EIGHT_FLOATS)
            .bytes();
    final int secondOffset = 24 + 2 * (8 + 1 + 4 + 8 + 4 + 8) - 8;
    bytes[secondOffset] = 0;
    assertRefused("tensors 'a' and 'b' overlap", bytes);
    bytes[secondOffset] = 1;
    assertRefused("tensor 'b' lies at offset 1, expected a multiple of 32", bytes);
  }

  @ParameterizedTest
  @CsvSource({
    "3, Q4_1, 20",
    "6, Q5_0, 22",
    "7, Q5_1, 24",
    "10, Q2_K, 84",
    "11, Q3_K, 110",
    "20, IQ4_NL, 18"
  })
  void shouldKnowATypeByTheNumberThatFilesGiveIt(int number, WeightType type, int blockBytes) {
    final GgmlType stored = GgmlType.of(number);
    final WeightMatrix matrix =
        read(new GgufWriter()
                .tensor("w", stored, new long[] {2 * type.blockLength()}, new byte[2 * blockBytes]))
            .matrix("w");
    assertEquals(type, matrix.type());
    assertEquals(2 * blockBytes, matrix.data().byteSize());
  }

  @Test
  void shouldRefuseTensorsThatCannotBeComputedWithOnceAskedForThem() {
    final GgufFile file =
        read(
            new GgufWriter()
                .tensor("old", GgmlType.IQ4_XS, new long[] {256}, new byte[136])
                .tensor("cube", GgmlType.F32, new long[] {2, 2, 2}, EIGHT_FLOATS));
    assertMessage(
        "tensor 'old': type IQ4_XS is not supported; supported are F32, F16, BF16, Q8_0, Q4_0,"
            + " Q4_1, Q5_0, Q5_1, IQ4_NL, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K",
        () -> file.matrix("old"));
    assertMessage(
        "tensor 'cube': its dimensions are [2, 2, 2], expected at most two",
        () -> file.matrix("cube"));
    assertMessage("the tensor 'new' is missing", () -> file.matrix("new"));
  }

  @Test
  void shouldNameTheFileInMessages() {
    try (Arena arena = Arena.ofConfined()) {
      assertMessage(
          "nowhere.gguf: there is no such file",
          () -> GgufFile.open(Path.of("nowhere.gguf"), arena));
    }
  }

  @Test
  void shouldReadARealVocabulary() {
    try (Arena arena = Arena.ofConfined()) {
      final GgufFile file =
          GgufFile.open(TestModels.shared("tokenizers/ggml-vocab-llama-bpe.gguf"), arena);
      assertEquals(128_256, file.metadata().strings("tokenizer.ggml.tokens").size());
      assertEquals(128_256, file.metadata().ints("tokenizer.ggml.token_type").length);
      assertEquals("gpt2", file.metadata().requireString("tokenizer.ggml.model"));
    }
  }

  private static GgufFile read(GgufWriter writer) {
    return GgufFile.read(MemorySegment.ofArray(writer.bytes()), LIMITS);
  }

  private static void assertRefused(String message, byte[] file) {
    assertMessage(message, () -> GgufFile.read(MemorySegment.ofArray(file), LIMITS));
  }

  private static void assertRefusedStart(String messageStart, byte[] file) {
    final String message =
        assertThrows(
                ModelFormatException.class,
                () -> GgufFile.read(MemorySegment.ofArray(file), LIMITS))
            .getMessage();
    assertTrue(message.startsWith(messageStart), message);
  }

  private static void assertMessage(String message, Executable executable) {
    assertEquals(message, assertThrows(ModelFormatException.class, executable).getMessage());
  }

  private static byte[] floats(float... values) {
    final ByteBuffer buffer =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) buffer.putFloat(value);
    return buffer.array();
  }
}
