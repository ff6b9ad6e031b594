package dev.stator.model;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WeightScanTest {
  private static final int ROW_COUNT = 3;
  private static final int COLUMN_COUNT = 512;

  /** Where a block's 16-bit floats are; for plain types, where a value is. */
  private static final Map<WeightType, List<Integer>> FLOAT_OFFSETS =
      Map.ofEntries(
          Map.entry(WeightType.F32, List.of(0)),
          Map.entry(WeightType.F16, List.of(0)),
          Map.entry(WeightType.BF16, List.of(0)),
          Map.entry(WeightType.Q8_0, List.of(0)),
          Map.entry(WeightType.Q4_0, List.of(0)),
          Map.entry(WeightType.Q4_1, List.of(0, 2)),
          Map.entry(WeightType.Q5_0, List.of(0)),
          Map.entry(WeightType.Q5_1, List.of(0, 2)),
          Map.entry(WeightType.IQ4_NL, List.of(0)),
          Map.entry(WeightType.Q2_K, List.of(80, 82)),
          Map.entry(WeightType.Q3_K, List.of(108)),
          Map.entry(WeightType.Q4_K, List.of(0, 2)),
          Map.entry(WeightType.Q5_K, List.of(0, 2)),
          Map.entry(WeightType.Q6_K, List.of(208)));

  @ParameterizedTest
  @EnumSource(names = "F8_E4M3", mode = EnumSource.Mode.EXCLUDE)
  void shouldFindEachFloatThatIsNotFinite(WeightType type) {
    final int rowBytes = (int) type.byteSize(COLUMN_COUNT);
    for (int offset : FLOAT_OFFSETS.get(type)) {
      for (Bits bits : Bits.values()) {
        final byte[] data = new byte[ROW_COUNT * rowBytes];
        final int lastBlock = rowBytes - type.blockBytes();
        bits.put(type, data, 2 * rowBytes + lastBlock + offset);
        final WeightMatrix matrix = matrix(type, data);
        final String message =
            assertThrows(ModelFormatException.class, () -> WeightScan.requireFinite(matrix))
                .getMessage();
        assertEquals("tensor w has a value that is not finite in row 2", message);
        assertDoesNotThrow(() -> WeightScan.requireFinite(matrix, 0, 2));
        final var ofRow =
            assertThrows(
                ModelFormatException.class, () -> WeightScan.requireFinite(matrix, 1, ROW_COUNT));
        assertEquals(message, ofRow.getMessage());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void shouldFindAHalfThatIsNotFiniteAtAnyPlace(WeightType type) {
    for (int columns = 1; columns < 12; columns++) {
      for (int at = 0; at < columns; at++) {
        final byte[] data = new byte[columns * 2];
        for (int i = 0; i < columns; i++) putLargest(type, data, 2 * i);
        final WeightMatrix sound = plain(type, columns, data);
        assertDoesNotThrow(() -> WeightScan.requireFinite(sound));
        Bits.INFINITY.put(type, data, 2 * at);
        final WeightMatrix matrix = plain(type, columns, data);
        assertThrows(ModelFormatException.class, () -> WeightScan.requireFinite(matrix));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = "F8_E4M3", mode = EnumSource.Mode.EXCLUDE)
  void shouldAcceptTheLargestFiniteScales(WeightType type) {
    final int rowBytes = (int) type.byteSize(COLUMN_COUNT);
    final byte[] data = new byte[ROW_COUNT * rowBytes];
    for (int block = 0; block < data.length; block += type.blockBytes()) {
      for (int offset : FLOAT_OFFSETS.get(type)) putLargest(type, data, block + offset);
    }
    assertDoesNotThrow(() -> WeightScan.requireFinite(matrix(type, data)));
  }

  @Test
  void shouldFindEachCodeOf8BitsThatIsNoNumber() {
    for (int columns = 1; columns < 20; columns++) {
      for (int at = 0; at < columns; at++) {
        for (int code : new int[] {0x7E, 0x7F, 0xFE, 0xFF}) {
          final byte[] data = new byte[columns];
          Arrays.fill(data, (byte) 0xFE);
          data[at] = (byte) code;
          final var matrix =
              new WeightMatrix(
                  "w",
                  WeightType.F8_E4M3,
                  1,
                  columns,
                  WeightScales.ofTensor(1),
                  MemorySegment.ofArray(data));
          if ((code & 1) == 0) assertDoesNotThrow(() -> WeightScan.requireFinite(matrix));
          else assertThrows(ModelFormatException.class, () -> WeightScan.requireFinite(matrix));
        }
      }
    }
  }

  @Test
  void shouldNotTakeQuantizedValuesForScales() {
    final byte[] block = new byte[WeightType.Q8_0.blockBytes()];
    Arrays.fill(block, 2, block.length, (byte) 0x7F);
    assertDoesNotThrow(() ->
        WeightScan.requireFinite(
            new WeightMatrix("w", WeightType.Q8_0, 1, 32, MemorySegment.ofArray(block))));
  }

  /** What is not finite, as the upper 16 bits of a float32 or bfloat16, and as a float16. */
  private enum Bits {
    INFINITY(0x7F80, 0x7C00),
    NEGATIVE_INFINITY(0xFF80, 0xFC00),
    NAN(0x7FC0, 0x7E00);

    private final int upper;
    private final int half;

    Bits(int upper, int half) {
      this.upper = upper;
      this.half = half;
    }

    void put(WeightType type, byte[] data, int offset) {
      switch (type) {
        case F32 -> putShort(data, offset + 2, upper);
        case BF16 -> putShort(data, offset, upper);
        default -> putShort(data, offset, half);
      }
    }
  }

  private static void putLargest(WeightType type, byte[] data, int offset) {
    switch (type) {
      case F32 -> putShort(data, offset + 2, 0x7F7F);
      case BF16 -> putShort(data, offset, 0x7F7F);
      default -> putShort(data, offset, 0x7BFF);
    }
  }

  private static void putShort(byte[] data, int offset, int value) {
    data[offset] = (byte) value;
    data[offset + 1] = (byte) (value >> 8);
  }

  private static WeightMatrix plain(WeightType type, int columns, byte[] data) {
    return new WeightMatrix("w", type, 1, columns, MemorySegment.ofArray(data));
  }

  private static WeightMatrix matrix(WeightType type, byte[] data) {
    return new WeightMatrix("w", type, ROW_COUNT, COLUMN_COUNT, MemorySegment.ofArray(data));
  }
}
