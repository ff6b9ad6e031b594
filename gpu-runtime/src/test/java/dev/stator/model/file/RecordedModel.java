package dev.stator.model.file;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.model.GenerationDefaults;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelWeights;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A tiny model of which another implementation computed logits: its metadata and its tensors' names
 * and shapes are in a resource, its weights follow from their names. How it was made is in {@code
 * src/test/python/models/README.md}.
 */
public final class RecordedModel {
  private static final ModelFileLimits LIMITS = ModelFileLimits.load();

  /**
   * What another implementation computed.
   *
   * @param logits after the last token, up to a constant where {@code isNormalised}
   * @param isNormalised whether {@code logits} are the logarithms of probabilities
   * @param mean of the hidden states of all tokens; empty where it was not recorded
   * @param last hidden state of the last token; empty where it was not recorded
   */
  public record Case(
      int[] tokens, double[] logits, boolean isNormalised, double[] mean, double[] last) {}

  private final String name;
  private final JsonNode root;

  private RecordedModel(String name, JsonNode root) {
    this.name = name;
    this.root = root;
  }

  /** The resource {@code recorded-models/NAME.json}. */
  public static RecordedModel read(String name) {
    final String path = "/recorded-models/" + name + ".json";
    try (InputStream in = RecordedModel.class.getResourceAsStream(path)) {
      return new RecordedModel(name, new ObjectMapper().readTree(in));
    } catch (IOException e) {
      throw new IllegalStateException(path, e);
    }
  }

  /** The model as its format's reader reads it; the caller closes it. */
  public LoadedModel open() {
    return root.has("config") ? openHuggingFace() : openGguf();
  }

  private LoadedModel openHuggingFace() {
    final SafetensorsFile file = safetensors();
    return loaded(HuggingFaceShape.read(config(), file), file);
  }

  SafetensorsFile safetensors() {
    final SafetensorsWriter writer = new SafetensorsWriter();
    for (Map.Entry<String, JsonNode> tensor : root.get("tensors").properties()) {
      final long[] shape = shape(tensor.getValue());
      writer.tensor(tensor.getKey(), "F32", shape, values(tensor.getKey(), tensor.getValue()));
    }
    return SafetensorsFile.read(
        MemorySegment.ofArray(writer.bytes()), new JsonFiles(LIMITS), LIMITS);
  }

  private LoadedModel openGguf() {
    final GgufFile file = GgufFile.read(MemorySegment.ofArray(ggufBytes()), LIMITS);
    GgufModel.read(file); // Its tokenizer too.
    return loaded(GgufShape.read(file), file);
  }

  private LoadedModel loaded(ModelShape shape, TensorSource source) {
    final ModelWeights weights = WeightAssembler.assemble(source, shape.names(), shape.config());
    final var defaults =
        new GenerationDefaults(
            Set.of(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());
    return new LoadedModel(
        name, name, "recorded", shape.config(), weights, 0, null, null, defaults, Arena.ofShared());
  }

  byte[] ggufBytes() {
    final GgufWriter writer = new GgufWriter();
    for (Map.Entry<String, JsonNode> entry : root.get("metadata").properties()) {
      put(writer, entry.getKey(), entry.getValue());
    }
    for (Map.Entry<String, JsonNode> tensor : root.get("tensors").properties()) {
      final long[] shape = shape(tensor.getValue());
      for (int i = 0; i < shape.length / 2; i++) { // Fastest first.
        final long slow = shape[i];
        shape[i] = shape[shape.length - 1 - i];
        shape[shape.length - 1 - i] = slow;
      }
      final byte[] values = values(tensor.getKey(), tensor.getValue());
      writer.tensor(tensor.getKey(), GgmlType.F32, shape, values);
    }
    return writer.bytes();
  }

  /** Bytes of {@link #ggufBytes} before the first tensor's. */
  int ggufHeaderLength() {
    int dataLength = 0;
    for (JsonNode tensor : root.get("tensors")) {
      long length = Float.BYTES;
      for (long dimension : shape(tensor)) length *= dimension;
      dataLength += (int) Math.ceilDiv(length, 32) * 32;
    }
    return ggufBytes().length - dataLength;
  }

  JsonNode config() {
    return root.get("config");
  }

  private static void put(GgufWriter writer, String key, JsonNode value) {
    if (value.isTextual()) writer.put(key, value.asText());
    else if (value.isBoolean()) writer.put(key, value.asBoolean());
    else if (value.isIntegralNumber()) writer.put(key, value.asInt());
    else if (value.isNumber()) writer.put(key, (float) value.asDouble());
    else if (value.get(0).isTextual()) {
      final List<String> texts = new ArrayList<>();
      value.forEach(text -> texts.add(text.asText()));
      writer.put(key, texts);
    } else if (value.get(0).isIntegralNumber()) {
      writer.put(key, ints(value));
    } else {
      final float[] floats = new float[value.size()];
      for (int i = 0; i < floats.length; i++) floats[i] = (float) value.get(i).asDouble();
      writer.put(key, floats);
    }
  }

  /** What the other implementation computed. */
  public List<Case> cases() {
    final List<Case> cases = new ArrayList<>();
    for (JsonNode one : root.get("cases")) {
      final boolean isNormalised = one.has("log_probabilities");
      final JsonNode logits = one.get(isNormalised ? "log_probabilities" : "logits");
      cases.add(
          new Case(
              ints(one.get("tokens")),
              doubles(logits),
              isNormalised,
              doubles(one.path("mean")),
              doubles(one.path("last"))));
    }
    return cases;
  }

  /** Texts and the tokens that another implementation makes of them; none where none are kept. */
  Map<String, int[]> texts() {
    final Map<String, int[]> texts = new LinkedHashMap<>();
    for (JsonNode one : root.path("texts")) {
      texts.put(one.get("text").asText(), ints(one.get("tokens")));
    }
    return texts;
  }

  private static double[] doubles(JsonNode array) {
    final double[] values = new double[array.size()];
    for (int i = 0; i < values.length; i++) values[i] = array.get(i).asDouble();
    return values;
  }

  private static int[] ints(JsonNode array) {
    final int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) values[i] = array.get(i).asInt();
    return values;
  }

  /** A tensor is {@code [center, exponent, dimensions, slowest first ...]}. */
  private static long[] shape(JsonNode tensor) {
    final long[] shape = new long[tensor.size() - 2];
    for (int i = 0; i < shape.length; i++) shape[i] = tensor.get(i + 2).asLong();
    return shape;
  }

  /** {@code center + k * 2^-exponent}, with {@code k} from SplitMix64 of the name's FNV-1a hash. */
  private static byte[] values(String name, JsonNode tensor) {
    long seed = 0xCBF29CE484222325L;
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) seed = (seed ^ b) * 0x100000001B3L;
    long count = 1;
    for (long dimension : shape(tensor)) count *= dimension;
    final ByteBuffer bytes = ByteBuffer.allocate((int) (4 * count)).order(ByteOrder.LITTLE_ENDIAN);
    for (long i = 1; i <= count; i++) {
      long z = seed + i * 0x9E3779B97F4A7C15L;
      z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
      z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
      z = z ^ z >>> 31;
      final int k = Math.max((int) (z >>> 56) - 128, -127);
      bytes.putFloat(
          (float) (tensor.get(0).asInt() + Math.scalb((double) k, -tensor.get(1).asInt())));
    }
    return bytes.array();
  }
}
