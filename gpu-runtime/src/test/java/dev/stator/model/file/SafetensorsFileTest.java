package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
  private static final ModelFileLimits LIMITS = ModelFileLimits.load();
  private static final JsonFiles JSON = new JsonFiles(LIMITS);
  private static final byte[] FOUR_HALVES = {0, 0x3C, 0, 0x40, 0, 0x42, 0, 0x44};

  @Test
  void shouldReadTensorsOfTheThreeTypes() {
    final SafetensorsFile file =
        read(
            new SafetensorsWriter()
                .tensor("half", "F16", new long[] {2, 2}, FOUR_HALVES)
                .tensor("brain", "BF16", new long[] {2}, new byte[] {(byte) 0x80, 0x3F, 0, 0x40})
                .tensor("single", "F32", new long[] {1}, new byte[] {0, 0, (byte) 0x80, 0x3F})
                .bytes());
    assertEquals(List.of("half", "brain", "single"), List.copyOf(file.names()));
    assertEquals(WeightType.F16, file.matrix("half").type());
    assertEquals(2, file.matrix("half").rowCount());
    assertArrayEquals(new float[] {3, 4}, WeightDecoder.row(file.matrix("half"), 1));
    assertArrayEquals(new float[] {1, 2}, WeightDecoder.row(file.matrix("brain"), 0));
    assertArrayEquals(new float[] {1}, WeightDecoder.row(file.matrix("single"), 0));
  }

  @Test
  void shouldReadDataThatIsNotAligned() {
    final String header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    assertTrue((Long.BYTES + header.length()) % Float.BYTES != 0);
    final SafetensorsFile file = read(SafetensorsWriter.bytes(header, new byte[] {0, 0, 0, 0x40}));
    assertArrayEquals(new float[] {2}, WeightDecoder.row(file.matrix("w"), 0));
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "[1] | the header: it holds no JSON object",
        "{\"a\":1 | the header: it is not valid JSON at line 1, column 7",
        "{} {} | the header: it is not valid JSON at line 1, column 4",
        "{\"w\":1,\"w\":2} | the header: it is not valid JSON at line 1, column 12",
        "{\"w\":1} | tensor 'w': its entry in the header is not an object",
        "{\"w\":{}} | tensor 'w': there is no dtype, expected a string",
        "{\"w\":{\"dtype\":\"F4\"}} | tensor 'w': dtype 'F4' is not supported; supported are BF16,"
            + " F16, F32, F8_E4M3",
        "{\"w\":{\"dtype\":\"F16\"}} | tensor 'w': its shape is not an array",
        "{\"w\":{\"dtype\":\"F16\",\"shape\":[-1]}} | tensor 'w': its shape holds '-1', expected"
            + " non-negative integers",
        "{\"w\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0]}} | tensor 'w': its"
            + " data_offsets are [0], expected two that rise within the 8 bytes of tensor data",
        "{\"w\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[8,0]}} | tensor 'w': its"
            + " data_offsets are [8, 0], expected two that rise within the 8 bytes of tensor data",
        "{\"w\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[0,10]}} | tensor 'w': its"
            + " data_offsets are [0, 10], expected two that rise within the 8 bytes of tensor data",
        "{\"w\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[0,8]}}"
            + " | tensor 'w': its data has 8 bytes, which does not fit shape [3] of F16",
        "{\"w\":{\"dtype\":\"F16\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}} |"
            + " tensor 'w': its data has 8 bytes, which does not fit shape [4294967296, 4294967296]"
            + " of F16",
      })
  void shouldRefuseBrokenHeaders(String header, String message) {
    assertMessage(message, () -> read(SafetensorsWriter.bytes(header, FOUR_HALVES)));
  }

  @Test
  void shouldRefuseTensorsThatOverlap() {
    final SafetensorsWriter writer =
        new SafetensorsWriter()
            .tensor("v", "F16", new long[] {4}, FOUR_HALVES)
            .tensor("w", "F16", new long[] {4}, FOUR_HALVES);
    writer.header().withObject("/w").putArray("data_offsets").add(4).add(12);
    assertMessage("tensors 'v' and 'w' overlap", () -> read(writer.bytes()));
  }

  @Test
  void shouldRefuseHeadersThatTheFileCannotHold() {
    assertMessage("the file has 3 bytes, expected a header of at least 8", () -> read(new byte[3]));
    final byte[] bytes = ByteBuffer.allocate(16).putLong(-1).array();
    assertMessage(
        "the header claims 18446744073709551615 bytes; the file has 8 more and the limit is"
            + " 33554432",
        () -> read(bytes));
  }

  @Test
  void shouldRefuseTensorsThatAreNoWeights() {
    final SafetensorsFile file =
        read(
            new SafetensorsWriter()
                .tensor("ids", "I64", new long[] {1}, new byte[8])
                .tensor("cube", "F16", new long[] {1, 2, 2}, FOUR_HALVES)
                .bytes());
    assertMessage(
        "tensor 'ids': dtype 'I64' is not supported; supported are BF16, F16, F32, F8_E4M3",
        () -> file.matrix("ids"));
    assertMessage(
        "tensor 'cube': its shape is [1, 2, 2], expected a matrix", () -> file.matrix("cube"));
    assertMessage("the tensor 'w' is missing", () -> file.matrix("w"));
  }

  @Test
  void shouldReadShardsUnderAnIndex(@TempDir Path folder) throws IOException {
    Files.write(folder.resolve("a.safetensors"), oneTensor("x"));
    Files.write(folder.resolve("b.safetensors"), oneTensor("y"));
    index(folder, "{\"x\":\"a.safetensors\",\"y\":\"b.safetensors\"}");
    try (Arena arena = Arena.ofConfined()) {
      final SafetensorsModel model = SafetensorsModel.open(folder, arena, JSON, LIMITS);
      assertEquals(List.of("x", "y"), List.copyOf(model.names()));
      assertArrayEquals(new float[] {1, 2, 3, 4}, WeightDecoder.row(model.matrix("y"), 0));
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "{\"x\":\"../a\"} | model.safetensors.index.json: weight_map names the file '../a',"
            + " expected a plain file name",
        "{\"x\":7} | model.safetensors.index.json: weight_map names the file '7', expected a plain"
            + " file name",
        "[] | model.safetensors.index.json: weight_map is missing, expected an object",
        "{\"x\":\"gone.safetensors\"} | gone.safetensors: there is no such file",
        "{\"y\":\"a.safetensors\"}"
            + " | a.safetensors: the tensor 'y', which the index says is here, is missing",
      })
  void shouldRefuseABrokenIndex(String weightMap, String message, @TempDir Path folder)
      throws IOException {
    Files.write(folder.resolve("a.safetensors"), oneTensor("x"));
    index(folder, weightMap);
    try (Arena arena = Arena.ofConfined()) {
      assertMessage(message, () -> SafetensorsModel.open(folder, arena, JSON, LIMITS));
    }
  }

  @Test
  void shouldRefuseAFolderWithoutWeights(@TempDir Path folder) {
    try (Arena arena = Arena.ofConfined()) {
      assertMessage(
          "the folder has neither model.safetensors nor model.safetensors.index.json",
          () -> SafetensorsModel.open(folder, arena, JSON, LIMITS));
    }
  }

  private static byte[] oneTensor(String name) {
    return new SafetensorsWriter().tensor(name, "F16", new long[] {4}, FOUR_HALVES).bytes();
  }

  private static void index(Path folder, String weightMap) throws IOException {
    Files.writeString(
        folder.resolve("model.safetensors.index.json"), "{\"weight_map\":" + weightMap + "}");
  }

  private static SafetensorsFile read(byte[] bytes) {
    return SafetensorsFile.read(MemorySegment.ofArray(bytes), JSON, LIMITS);
  }

  private static void assertMessage(String message, Executable executable) {
    assertEquals(message, assertThrows(ModelFormatException.class, executable).getMessage());
  }
}
