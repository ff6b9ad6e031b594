package dev.stator.model.file;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes small safetensors files. */
final class SafetensorsWriter {
  private final ObjectNode header = JsonNodeFactory.instance.objectNode();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();

  /**
   * @param shape slowest first
   */
  SafetensorsWriter tensor(String name, String dtype, long[] shape, byte[] bytes) {
    final ObjectNode info = header.putObject(name).put("dtype", dtype);
    for (long dimension : shape) info.withArray("shape").add(dimension);
    if (shape.length == 0) info.putArray("shape");
    info.putArray("data_offsets").add(data.size()).add(data.size() + bytes.length);
    data.writeBytes(bytes);
    return this;
  }

  /** The header, to break it. */
  ObjectNode header() {
    return header;
  }

  byte[] bytes() {
    return bytes(header.toString(), data.toByteArray());
  }

  static byte[] bytes(String header, byte[] data) {
    final byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Long.BYTES + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }
}
