package dev.stator.model.file;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Writes small GGUF files, broken ones if asked to. */
final class GgufWriter {
  static final int DEFAULT_ALIGNMENT = 32;

  private record Value(int type, byte[] bytes) {}

  private record Tensor(int type, long[] dimensions, byte[] data) {}

  private final Map<String, Value> metadata = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private int version = 3;
  private int alignment = DEFAULT_ALIGNMENT;

  GgufWriter version(int number) {
    version = number;
    return this;
  }

  GgufWriter alignment(int bytes) {
    alignment = bytes;
    return put("general.alignment", GgufValueType.UINT32, b -> b.putInt(bytes));
  }

  /** A value written by hand. */
  GgufWriter put(String key, GgufValueType type, Consumer<ByteBuffer> bytes) {
    metadata.put(key, new Value(type.ordinal(), write(bytes)));
    return this;
  }

  GgufWriter putType(String key, int type) {
    metadata.put(key, new Value(type, new byte[8]));
    return this;
  }

  GgufWriter put(String key, int value) {
    return put(key, GgufValueType.UINT32, b -> b.putInt(value));
  }

  GgufWriter put(String key, float value) {
    return put(key, GgufValueType.FLOAT32, b -> b.putFloat(value));
  }

  GgufWriter put(String key, boolean value) {
    return put(key, GgufValueType.BOOL, b -> b.put((byte) (value ? 1 : 0)));
  }

  GgufWriter put(String key, String value) {
    return put(key, GgufValueType.STRING, b -> putString(b, value));
  }

  GgufWriter put(String key, List<String> values) {
    return put(
        key,
        GgufValueType.ARRAY,
        b -> {
          b.putInt(GgufValueType.STRING.ordinal()).putLong(values.size());
          values.forEach(value -> putString(b, value));
        });
  }

  GgufWriter put(String key, int[] values) {
    return put(
        key,
        GgufValueType.ARRAY,
        b -> {
          b.putInt(GgufValueType.INT32.ordinal()).putLong(values.length);
          for (int value : values) b.putInt(value);
        });
  }

  GgufWriter put(String key, float[] values) {
    return put(
        key,
        GgufValueType.ARRAY,
        b -> {
          b.putInt(GgufValueType.FLOAT32.ordinal()).putLong(values.length);
          for (float value : values) b.putFloat(value);
        });
  }

  GgufWriter remove(String key) {
    metadata.remove(key);
    return this;
  }

  /**
   * @param dimensions fastest first
   */
  GgufWriter tensor(String name, GgmlType type, long[] dimensions, byte[] data) {
    return tensor(name, type.number(), dimensions, data);
  }

  GgufWriter tensor(String name, int type, long[] dimensions, byte[] data) {
    tensors.put(name, new Tensor(type, dimensions, data));
    return this;
  }

  GgufWriter removeTensor(String name) {
    tensors.remove(name);
    return this;
  }

  byte[] bytes() {
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(
        write(b ->
            b.putInt(GgufFile.MAGIC)
                .putInt(version)
                .putLong(tensors.size())
                .putLong(metadata.size())));
    metadata.forEach((key, value) ->
        out.writeBytes(write(b -> putString(b, key).putInt(value.type).put(value.bytes))));
    long offset = 0;
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      final long tensorOffset = offset;
      final Tensor tensor = entry.getValue();
      out.writeBytes(
          write(b -> {
            putString(b, entry.getKey()).putInt(tensor.dimensions.length);
            for (long dimension : tensor.dimensions) b.putLong(dimension);
            b.putInt(tensor.type).putLong(tensorOffset);
          }));
      offset += padded(tensor.data.length);
    }
    out.writeBytes(new byte[padded(out.size()) - out.size()]);
    for (Tensor tensor : tensors.values()) {
      out.writeBytes(tensor.data);
      out.writeBytes(new byte[padded(tensor.data.length) - tensor.data.length]);
    }
    return out.toByteArray();
  }

  private int padded(int length) {
    return alignment > 0 ? (length + alignment - 1) / alignment * alignment : length;
  }

  static ByteBuffer putString(ByteBuffer buffer, String text) {
    final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return buffer.putLong(bytes.length).put(bytes);
  }

  private static byte[] write(Consumer<ByteBuffer> writer) {
    final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    writer.accept(buffer);
    final byte[] bytes = new byte[buffer.position()];
    buffer.get(0, bytes);
    return bytes;
  }
}
