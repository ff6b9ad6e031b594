package dev.stator.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.model.file.GgufFile;
import dev.stator.testing.TestModels;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The reference decoder against values that an independent reader computed. */
class WeightDecoderTest {
  private static final int GOLDEN_ROW_COUNT = 63;

  /** Types that no golden file has. */
  private static final Set<WeightType> RECORDED =
      EnumSet.of(
          WeightType.Q4_1,
          WeightType.Q5_0,
          WeightType.Q5_1,
          WeightType.IQ4_NL,
          WeightType.Q2_K,
          WeightType.Q3_K);

  @Test
  void shouldDecodeEveryTypeAsTheIndependentReaderDid() throws IOException {
    final JsonNode golden =
        new ObjectMapper().readTree(TestModels.shared("models/golden-dequantized.json").toFile());
    final EnumSet<WeightType> seen = EnumSet.noneOf(WeightType.class);
    try (Arena arena = Arena.ofConfined()) {
      final Map<String, GgufFile> files = new HashMap<>();
      for (JsonNode row : golden) {
        final GgufFile file =
            files.computeIfAbsent(
                row.get("file").asText(), name -> GgufFile.open(TestModels.tinyGguf(name), arena));
        final WeightMatrix matrix = file.matrix(row.get("tensor").asText());
        assertEquals(row.get("type").asText(), matrix.type().name());
        seen.add(matrix.type());
        assertArrayEquals(
            floats(row.get("values")),
            WeightDecoder.row(matrix, row.get("row").asInt()),
            0f,
            () ->
                row.get("file").asText()
                    + " "
                    + row.get("tensor").asText()
                    + " row "
                    + row.get("row"));
      }
    }
    assertEquals(GOLDEN_ROW_COUNT, golden.size());
    final EnumSet<WeightType> others = EnumSet.copyOf(RECORDED);
    others.add(WeightType.BF16);
    others.add(WeightType.F8_E4M3); // No type of that reader's.
    assertEquals(EnumSet.complementOf(others), seen);
  }

  @Test
  void shouldDecodeEachCodeOf8BitsTimesItsScale() {
    final byte[] codes = new byte[256];
    for (int i = 0; i < codes.length; i++) codes[i] = (byte) i;
    final var scales = new WeightScales(new float[] {3, 0.1f, -2, 5}, 1, 128, 2, 0, 0);
    final var matrix =
        new WeightMatrix(
            "w", WeightType.F8_E4M3, 1, 256, scales.from(1), MemorySegment.ofArray(codes));
    final float[] values = WeightDecoder.row(matrix, 0);
    for (int i = 0; i < codes.length; i++) {
      final int exponent = i >> 3 & 15;
      final int eighths = exponent == 0 ? i & 7 : 8 + (i & 7);
      final double magnitude = eighths / 8.0 * Math.pow(2, Math.max(exponent, 1) - 7);
      final float stored = (float) (i < 128 ? magnitude : -magnitude);
      final float expected = (i & 127) == 127 ? Float.NaN : stored * (i < 128 ? -2 : 5);
      assertEquals(expected, values[i], "code " + i);
    }
    assertEquals(448 * -2, values[0x7E]);
  }

  /** As {@code make_dequantized_rows.py}, beside the file, wrote them. */
  @Test
  void shouldDecodeRandomBlocksAsTheIndependentReaderDid() throws IOException {
    final JsonNode rows;
    try (InputStream in = WeightDecoderTest.class.getResourceAsStream("dequantized-rows.json")) {
      rows = new ObjectMapper().readTree(in);
    }
    final EnumSet<WeightType> seen = EnumSet.noneOf(WeightType.class);
    for (JsonNode entry : rows) {
      final WeightType type = WeightType.valueOf(entry.get("type").asText());
      final MemorySegment data = MemorySegment.ofArray(entry.get("data").binaryValue());
      final float[] values =
          WeightDecoder.all(
              new WeightMatrix(
                  "w", type, entry.get("rows").asInt(), entry.get("columns").asInt(), data));
      final ByteBuffer expected =
          ByteBuffer.wrap(entry.get("values").binaryValue()).order(ByteOrder.LITTLE_ENDIAN);
      assertEquals(expected.remaining(), Float.BYTES * values.length);
      for (int i = 0; i < values.length; i++) {
        final int index = i;
        assertEquals(
            expected.getInt(Float.BYTES * i),
            Float.floatToRawIntBits(values[i]),
            () -> type + " value " + index);
      }
      seen.add(type);
    }
    assertEquals(RECORDED, seen);
  }

  @Test
  void shouldDecodeBfloat16AsTheUpperHalfOfAFloat() {
    final short[] bits = {0x3F80, (short) 0xC049, 0x0001, 0};
    final MemorySegment data = MemorySegment.ofArray(bits);
    final float[] values = WeightDecoder.row(new WeightMatrix("w", WeightType.BF16, 1, 4, data), 0);
    assertArrayEquals(new float[] {1f, -3.140625f, Float.intBitsToFloat(0x10000), 0f}, values);
  }

  @Test
  void shouldDecodeRowsWhereverTheyBegin() {
    final byte[] blocks = new byte[2 * WeightType.Q8_0.blockBytes()];
    blocks[1] = 0x3C; // 1.0 as f16
    blocks[35] = 0x40; // 2.0
    for (int i = 0; i < 32; i++) {
      blocks[2 + i] = (byte) i;
      blocks[36 + i] = (byte) -i;
    }
    final WeightMatrix matrix =
        new WeightMatrix("w", WeightType.Q8_0, 2, 32, MemorySegment.ofArray(blocks));
    assertEquals(31f, WeightDecoder.row(matrix, 0)[31]);
    assertEquals(-62f, WeightDecoder.row(matrix, 1)[31]);
    assertEquals(-62f, WeightDecoder.all(matrix)[63]);
  }

  private static float[] floats(JsonNode array) {
    final float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) values[i] = (float) array.get(i).asDouble();
    return values;
  }
}
