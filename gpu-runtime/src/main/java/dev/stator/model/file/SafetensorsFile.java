package dev.stator.model.file;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A memory-mapped safetensors file.
 *
 * <pre>
 *   0               8                      8 + header length
 *   +---------------+----------------------+-------------+
 *   | header length | header, JSON         | tensor data |
 *   +---------------+----------------------+-------------+
 *   header  {"__metadata__": {}, NAME: {"dtype": "BF16", "shape": [rows, columns], "data_offsets": [begin, end]}}
 * </pre>
 *
 * Offsets count from the tensor data. Source: the README of the safetensors project. Any thread may
 * read it while its arena is open.
 */
final class SafetensorsFile implements TensorSource {
  private static final Map<String, Integer> VALUE_BYTES =
      Map.ofEntries(
          Map.entry("F64", 8),
          Map.entry("F32", 4),
          Map.entry("F16", 2),
          Map.entry("BF16", 2),
          Map.entry("F8_E4M3", 1),
          Map.entry("F8_E5M2", 1),
          Map.entry("I64", 8),
          Map.entry("I32", 4),
          Map.entry("I16", 2),
          Map.entry("I8", 1),
          Map.entry("U64", 8),
          Map.entry("U32", 4),
          Map.entry("U16", 2),
          Map.entry("U8", 1),
          Map.entry("BOOL", 1));

  private static final Map<String, WeightType> WEIGHT_TYPES =
      Map.of(
          "F32",
          WeightType.F32,
          "F16",
          WeightType.F16,
          "BF16",
          WeightType.BF16,
          Fp8Tensors.DTYPE,
          WeightType.F8_E4M3);

  /**
   * A tensor's place.
   *
   * @param shape slowest first
   * @param offset from the start of the file
   */
  private record Tensor(
      String name, String dtype, List<Long> shape, long offset, long byteLength) {}

  private final MemorySegment file;
  private final Map<String, Tensor> tensors;

  private SafetensorsFile(MemorySegment file, Map<String, Tensor> tensors) {
    this.file = file;
    this.tensors = tensors;
  }

  /** Reads the header of a mapped file; messages do not name it. */
  static SafetensorsFile read(MemorySegment file, JsonFiles json, ModelFileLimits limits) {
    if (file.byteSize() < Long.BYTES) {
      throw new ModelFormatException(
          "the file has %d bytes, expected a header of at least 8".formatted(file.byteSize()));
    }
    final long headerLength = file.get(GgufCursor.LONG, 0);
    final long available = file.byteSize() - Long.BYTES;
    if (headerLength < 2
        || headerLength > available
        || headerLength > limits.safetensorsHeaderBytesMax()) {
      throw new ModelFormatException(
          "the header claims %s bytes; the file has %d more and the limit is %d"
              .formatted(
                  Long.toUnsignedString(headerLength),
                  available,
                  limits.safetensorsHeaderBytesMax()));
    }
    final byte[] bytes = file.asSlice(Long.BYTES, headerLength).toArray(ValueLayout.JAVA_BYTE);
    final JsonNode header = Messages.about("the header", () -> json.parseObject(bytes));
    if (header.size() > limits.tensorCountMax()) {
      throw new ModelFormatException(
          "the file has %d tensors, the limit is %d"
              .formatted(header.size(), limits.tensorCountMax()));
    }
    return new SafetensorsFile(
        file, readTensors(header, Long.BYTES + headerLength, available - headerLength));
  }

  private static Map<String, Tensor> readTensors(JsonNode header, long dataStart, long dataLength) {
    final Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : header.properties()) {
      final String name = field.getKey();
      if (name.equals("__metadata__")) continue;
      tensors.put(
          name,
          Messages.about(
              "tensor " + Messages.quoted(name),
              () -> readTensor(name, field.getValue(), dataStart, dataLength)));
    }
    requireApart(tensors);
    return Collections.unmodifiableMap(tensors);
  }

  private static Tensor readTensor(String name, JsonNode info, long dataStart, long dataLength) {
    if (!info.isObject())
      throw new ModelFormatException("its entry in the header is not an object");
    final String dtype = new JsonFields(info).requireString("dtype");
    final Integer valueBytes = VALUE_BYTES.get(dtype);
    if (valueBytes == null) throw unsupported(dtype);
    final List<Long> shape = longs(info, "shape");
    final List<Long> offsets = longs(info, "data_offsets");
    if (offsets.size() != 2 || offsets.get(0) > offsets.get(1) || offsets.get(1) > dataLength) {
      throw new ModelFormatException(
          "its data_offsets are %s, expected two that rise within the %d bytes of tensor data"
              .formatted(Messages.oneLine(offsets.toString()), dataLength));
    }
    final long byteLength = offsets.get(1) - offsets.get(0);
    if (byteLength != byteLength(shape, valueBytes)) {
      throw new ModelFormatException(
          "its data has %d bytes, which does not fit shape %s of %s"
              .formatted(byteLength, Messages.oneLine(shape.toString()), dtype));
    }
    return new Tensor(name, dtype, shape, dataStart + offsets.get(0), byteLength);
  }

  private static List<Long> longs(JsonNode info, String key) {
    final JsonNode array = info.get(key);
    if (array == null || !array.isArray())
      throw new ModelFormatException("its " + key + " is not an array");
    final List<Long> values = new ArrayList<>();
    for (JsonNode element : array) {
      if (!element.isIntegralNumber() || !element.canConvertToLong() || element.longValue() < 0) {
        throw new ModelFormatException(
            "its %s holds %s, expected non-negative integers"
                .formatted(key, Messages.quoted(element.toString())));
      }
      values.add(element.longValue());
    }
    return values;
  }

  /** Bytes of a tensor, -1 when they are not even a number. */
  private static long byteLength(List<Long> shape, int valueBytes) {
    try {
      long bytes = valueBytes;
      for (long dimension : shape) bytes = Math.multiplyExact(bytes, dimension);
      return bytes;
    } catch (ArithmeticException e) {
      return -1;
    }
  }

  private static void requireApart(Map<String, Tensor> tensors) {
    final List<Tensor> byOffset =
        tensors.values().stream().sorted(Comparator.comparingLong(Tensor::offset)).toList();
    for (int i = 1; i < byOffset.size(); i++) {
      final Tensor before = byOffset.get(i - 1);
      if (before.offset + before.byteLength > byOffset.get(i).offset) {
        throw new ModelFormatException(
            "tensors %s and %s overlap"
                .formatted(Messages.quoted(before.name), Messages.quoted(byOffset.get(i).name)));
      }
    }
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  /** {@inheritDoc} These files hold the matrices one by one. */
  @Override
  public List<WeightMatrix> stack(String name) {
    throw new ModelFormatException(
        "tensor " + Messages.quoted(name) + " is expected as one matrix an expert");
  }

  @Override
  public WeightMatrix matrix(String name) {
    return matrix(name, this);
  }

  /**
   * The same, for a model of several files.
   *
   * @param all where a weight's scales are found
   */
  WeightMatrix matrix(String name, TensorSource all) {
    final Tensor tensor = tensors.get(name);
    if (tensor == null)
      throw new ModelFormatException("the tensor " + Messages.quoted(name) + " is missing");
    return Messages.about("tensor " + Messages.quoted(name), () -> matrix(tensor, all));
  }

  /** Names of the weights of 8-bit floats. */
  Set<String> fp8Names() {
    return tensors.values().stream()
        .filter(tensor -> tensor.dtype.equals(Fp8Tensors.DTYPE))
        .map(Tensor::name)
        .collect(Collectors.toUnmodifiableSet());
  }

  private WeightMatrix matrix(Tensor tensor, TensorSource all) {
    final WeightType type = WEIGHT_TYPES.get(tensor.dtype);
    if (type == null) throw unsupported(tensor.dtype);
    final List<Long> shape = tensor.shape;
    final long columnCount = shape.isEmpty() ? 1 : shape.getLast();
    final long rowCount = shape.size() < 2 ? 1 : shape.getFirst();
    if (shape.size() > 2 || columnCount != (int) columnCount || rowCount != (int) rowCount) {
      throw new ModelFormatException(
          "its shape is " + Messages.oneLine(shape.toString()) + ", expected a matrix");
    }
    return new WeightMatrix(
        tensor.name,
        type,
        (int) rowCount,
        (int) columnCount,
        type == WeightType.F8_E4M3
            ? Fp8Tensors.scales(all, tensor.name, (int) rowCount, (int) columnCount)
            : null,
        file.asSlice(tensor.offset, tensor.byteLength));
  }

  private static ModelFormatException unsupported(String dtype) {
    return new ModelFormatException(
        "dtype "
            + Messages.quoted(dtype)
            + " is not supported; supported are BF16, F16, F32, F8_E4M3");
  }
}
