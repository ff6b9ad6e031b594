package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp8TensorsTest {
  private static final ModelFileLimits LIMITS = ModelFileLimits.load();
  private static final JsonFiles JSON = new JsonFiles(LIMITS);
  private static final int ROWS = 130;
  private static final int COLUMNS = 160;
  private static final byte ONE = 0x38;

  @TempDir Path folder;

  private static byte[] floats(int count) {
    final ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) bytes.putFloat(i + 0.5f);
    return bytes.array();
  }

  private static SafetensorsWriter ones() {
    final byte[] codes = new byte[ROWS * COLUMNS];
    Arrays.fill(codes, ONE);
    return new SafetensorsWriter().tensor("w.weight", "F8_E4M3", new long[] {ROWS, COLUMNS}, codes);
  }

  private WeightMatrix weight(SafetensorsWriter writer) {
    try {
      Files.write(folder.resolve("model.safetensors"), writer.bytes());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return SafetensorsModel.open(folder, Arena.ofAuto(), JSON, LIMITS).matrix("w.weight");
  }

  /** Values of one are their scale. */
  private static void assertScales(WeightMatrix weight, float first, float last, float corner) {
    assertEquals(WeightType.F8_E4M3, weight.type());
    assertEquals(first, WeightDecoder.row(weight, 0)[127]);
    assertEquals(last, WeightDecoder.row(weight, ROWS - 1)[0]);
    assertEquals(corner, WeightDecoder.row(weight, ROWS - 1)[128]);
    final WeightMatrix lower = weight.rows(2, ROWS - 2);
    assertEquals(corner, WeightDecoder.row(lower, ROWS - 3)[COLUMNS - 1]);
  }

  @Test
  void shouldReadScalesOfTheTensorOfRowsAndOfSquares() {
    for (long[] shape : new long[][] {{}, {1}, {1, 1}}) {
      assertScales(
          weight(ones().tensor("w.weight_scale", "F32", shape, floats(1))), 0.5f, 0.5f, 0.5f);
    }
    for (long[] shape : new long[][] {{ROWS}, {ROWS, 1}}) {
      assertScales(
          weight(ones().tensor("w.weight_scale", "F32", shape, floats(ROWS))),
          0.5f,
          ROWS - 0.5f,
          ROWS - 0.5f);
    }
    assertScales(
        weight(ones().tensor("w.weight_scale_inv", "F32", new long[] {2, 2}, floats(4))),
        0.5f,
        2.5f,
        3.5f);
    final byte[] halves = {0x40, 0x3F, (byte) 0x80, 0x3F, 0, 0x40, 0x40, 0x40};
    assertScales(
        weight(ones().tensor("w.weight_scale", "BF16", new long[] {2, 2}, halves)), 0.75f, 2, 3);
  }

  @Test
  void shouldRefuseAWeightWithoutItsScales() {
    assertMessage(
        "tensor 'w.weight': its values are 8-bit floats, but it has neither weight_scale nor"
            + " weight_scale_inv beside it",
        ones());
    assertMessage(
        "tensor 'w.weight': its scale is 2 x 1, expected one value, one for each of 130 rows, or 2"
            + " x 2 of them",
        ones().tensor("w.weight_scale", "F32", new long[] {2, 1}, floats(2)));
    assertMessage(
        "tensor 'w.weight': its scale w.weight_scale holds Infinity, expected numbers from 0 to"
            + " 2^118",
        ones().tensor("w.weight_scale", "F32", new long[] {1}, new byte[] {0, 0, -128, 127}));
  }

  private void assertMessage(String message, SafetensorsWriter writer) {
    assertEquals(
        message, assertThrows(ModelFormatException.class, () -> weight(writer)).getMessage());
  }

  /** Every projection of a small model, with scales of inputs, keys and values beside. */
  private void writeModel(boolean hasBf16Scale, byte code) throws IOException {
    TinyModels.writeHuggingFace(folder, "qwen3");
    final SafetensorsWriter writer = new SafetensorsWriter();
    TinyModels.shapes("qwen3", TensorNames.HUGGING_FACE)
        .forEach((name, shape) -> {
          if (!name.contains("proj")) {
            TinyModels.putBf16(writer, name, shape);
            return;
          }
          final byte[] codes = new byte[shape[0] * shape[1]];
          Arrays.fill(codes, code);
          final String base = name.substring(0, name.length() - "weight".length());
          writer
              .tensor(name, "F8_E4M3", new long[] {shape[0], shape[1]}, codes)
              .tensor(base + "weight_scale", "F32", new long[] {shape[0], 1}, floats(shape[0]))
              .tensor(base + "input_scale", "F32", new long[] {1}, floats(1))
              .tensor(base + "k_scale", "F32", new long[] {1}, floats(1));
        });
    if (hasBf16Scale) {
      writer.tensor("model.norm.weight_scale", "F32", new long[] {1}, floats(1));
    }
    Files.write(folder.resolve("model.safetensors"), writer.bytes());
    final ObjectNode config = TinyModels.config("qwen3");
    config.putObject("quantization_config").put("quant_method", "fp8").put("fmt", "e4m3");
    Files.writeString(folder.resolve("config.json"), config.toString());
  }

  @Test
  void shouldOpenAModelWithItsProjectionsIn8Bits() throws IOException {
    writeModel(false, ONE);
    try (LoadedModel model = ModelFiles.open(folder)) {
      final WeightMatrix down = model.weights().layers().getLast().down();
      assertEquals(WeightType.F8_E4M3, down.type());
      assertEquals(3.5f, WeightDecoder.row(down, 3)[0]);
      assertEquals(WeightType.BF16, model.weights().tokenEmbedding().type());
    }
  }

  @Test
  void shouldRefuseAModelWithCodesThatAreNoNumbersOrScalesThatAreNotUsed() throws IOException {
    writeModel(false, (byte) 0x7F);
    assertEnds(" that is not finite in row 0");
    writeModel(true, ONE);
    assertEnds("'model.norm.weight_scale' has no place in a 2-layer qwen3 model");
  }

  private void assertEnds(String end) {
    final String message =
        assertThrows(ModelFormatException.class, () -> ModelFiles.open(folder)).getMessage();
    assertTrue(message.endsWith(end), message);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      nullValues = "fine",
      value = {
        "{'quant_method':'fp8','weight_block_size':[128,128]} | fine",
        "{'quant_method':'fp8','weight_block_size':[64,128]} | weight_block_size is [64,128],"
            + " expected [128,128]",
        "{'quant_method':'fp8','fmt':'e5m2'} | the weights are quantized by 'fp8', expected plain"
            + " BF16, F16 or F32, or fp8 of e4m3",
        "{'quant_method':'compressed-tensors','format':'float-quantized','config_groups':"
            + "{'group_0':{'weights':{'type':'float','num_bits':8,'block_structure':null}}}} |"
            + " fine",
        "{'quant_method':'compressed-tensors','format':'pack-quantized'} | the weights are"
            + " quantized by 'compressed-tensors', expected plain BF16, F16 or F32, or fp8 of e4m3",
        "{'quant_method':'compressed-tensors','format':'naive-quantized','config_groups':"
            + "{'group_0':{'weights':{'type':'int','num_bits':8}}}} | config_groups has weights of"
            + " 'int', 8 bits, expected float, 8 bits",
      })
  void shouldReadConfigurationsOf8BitFloatsAlone(String json, String message) throws IOException {
    final var fields = new JsonFields(new ObjectMapper().readTree(json.replace('\'', '"')));
    if (message == null) {
      Fp8Tensors.requireReadable(fields);
      return;
    }
    assertEquals(
        message,
        assertThrows(ModelFormatException.class, () -> Fp8Tensors.requireReadable(fields))
            .getMessage());
  }
}
