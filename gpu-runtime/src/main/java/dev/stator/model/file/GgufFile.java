package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A memory-mapped GGUF file, version 2 or 3, little-endian.
 *
 * <pre>
 *   0         4         8                16               24
 *   +---------+---------+----------------+----------------+-----------------+----------------+---------+-------------+
 *   | "GGUF"  | version | tensor count   | metadata count | metadata ...    | tensor infos.. | padding | tensor data |
 *   +---------+---------+----------------+----------------+-----------------+----------------+---------+-------------+
 *   metadata     key: string, value type: u32, value
 *   tensor info  name: string, dimension count: u32, dimensions: u64 each (fastest first), type: u32, offset: u64
 *   string       length: u64, that many bytes of UTF-8
 * </pre>
 *
 * Offsets count from the tensor data, which begins at a multiple of {@code general.alignment} (32).
 * Every number is checked against what the file can hold before anything is made of it. Source:
 * {@code docs/gguf.md} of the ggml project.
 *
 * <p>Any thread may read it while its arena is open.
 */
public final class GgufFile implements TensorSource {
  static final int MAGIC = 0x46554747;
  private static final int DEFAULT_ALIGNMENT = 32;
  private static final int ALIGNMENT_MAX = 1 << 20;
  private static final int DIMENSION_COUNT_MAX = 4;
  private static final int METADATA_BYTES_MIN = Long.BYTES + 1 + Integer.BYTES + 1;
  private static final int TENSOR_BYTES_MIN =
      Long.BYTES + 1 + Integer.BYTES + Long.BYTES + Integer.BYTES + Long.BYTES;

  /**
   * A tensor's place.
   *
   * @param dimensions fastest first, one to four, each positive
   * @param offset from the start of the file
   */
  record Tensor(String name, GgmlType type, List<Long> dimensions, long offset, long byteLength) {}

  private final MemorySegment file;
  private final int version;
  private final GgufMetadata metadata;
  private final Map<String, Tensor> tensors;

  private GgufFile(
      MemorySegment file, int version, GgufMetadata metadata, Map<String, Tensor> tensors) {
    this.file = file;
    this.version = version;
    this.metadata = metadata;
    this.tensors = tensors;
  }

  /**
   * Maps a file and reads its header.
   *
   * @param arena owns the mapping; the caller closes it
   * @throws ModelFormatException when the file cannot be read or is no sound GGUF file
   */
  public static GgufFile open(Path path, Arena arena) {
    return Messages.about(
        Messages.nameOf(path), () -> read(map(path, arena), ModelFileLimits.load()));
  }

  static MemorySegment map(Path path, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }
  }

  /** Reads the header of a file that lies in memory; messages do not name it. */
  static GgufFile read(MemorySegment file, ModelFileLimits limits) {
    final GgufCursor cursor = new GgufCursor(file, limits);
    requireMagic(file);
    cursor.readInt("magic number");
    final int version = readVersion(cursor);
    final long tensorCount = cursor.readCount("tensor count", TENSOR_BYTES_MIN);
    requireAtMost("tensor count", tensorCount, limits.tensorCountMax());
    final long metadataCount = cursor.readCount("metadata count", METADATA_BYTES_MIN);
    requireAtMost("metadata count", metadataCount, limits.ggufMetadataCountMax());
    final GgufMetadata metadata = GgufMetadata.read(file, cursor, metadataCount);
    final Map<String, Tensor> tensors = readTensors(cursor, tensorCount);
    final Map<String, Tensor> placed =
        place(tensors, cursor.position(), alignment(metadata), file.byteSize());
    return new GgufFile(file, version, metadata, placed);
  }

  /** The header of a file up to its tensors: a sound GGUF file of its own, without any. */
  static byte[] metadataSection(MemorySegment file, ModelFileLimits limits) {
    final GgufCursor cursor = new GgufCursor(file, limits);
    requireMagic(file);
    cursor.readInt("magic number");
    readVersion(cursor);
    final long tensorCountAt = cursor.position();
    cursor.readCount("tensor count", TENSOR_BYTES_MIN);
    final long metadataCount = cursor.readCount("metadata count", METADATA_BYTES_MIN);
    requireAtMost("metadata count", metadataCount, limits.ggufMetadataCountMax());
    GgufMetadata.read(file, cursor, metadataCount);
    if (cursor.position() > limits.cardBytesMax()) {
      throw new ModelFormatException(
          "the metadata has %d bytes, the limit of a model card (card-bytes-max) is %d"
              .formatted(cursor.position(), limits.cardBytesMax()));
    }
    final byte[] section = file.asSlice(0, cursor.position()).toArray(ValueLayout.JAVA_BYTE);
    MemorySegment.ofArray(section).set(GgufCursor.LONG, tensorCountAt, 0);
    return section;
  }

  private static void requireMagic(MemorySegment file) {
    if (file.byteSize() < Integer.BYTES) {
      throw new ModelFormatException(
          "the file has %d bytes and is no GGUF file".formatted(file.byteSize()));
    }
    if (file.get(GgufCursor.INT, 0) == MAGIC) return;
    final byte[] start = file.asSlice(0, Integer.BYTES).toArray(ValueLayout.JAVA_BYTE);
    throw new ModelFormatException(
        "the file begins with %s, expected 'GGUF'"
            .formatted(Messages.quoted(new String(start, StandardCharsets.ISO_8859_1))));
  }

  private static int readVersion(GgufCursor cursor) {
    final int version = cursor.readInt("version");
    if (version == 2 || version == 3) return version;
    if (version != 0 && (version & 0xFFFF) == 0) {
      throw new ModelFormatException("the file is big-endian, expected a little-endian GGUF file");
    }
    throw new ModelFormatException(
        "GGUF version %s, expected 2 or 3".formatted(Integer.toUnsignedString(version)));
  }

  private static void requireAtMost(String what, long value, int max) {
    if (value > max)
      throw new ModelFormatException("the %s is %d, the limit is %d".formatted(what, value, max));
  }

  private static int alignment(GgufMetadata metadata) {
    final int alignment = metadata.int32("general.alignment").orElse(DEFAULT_ALIGNMENT);
    if (alignment <= 0 || alignment > ALIGNMENT_MAX || Integer.bitCount(alignment) != 1) {
      throw new ModelFormatException(
          "general.alignment is %d, expected a power of two up to %d"
              .formatted(alignment, ALIGNMENT_MAX));
    }
    return alignment;
  }

  /** The tensor infos; offsets are still those of the file, from the start of the tensor data. */
  private static Map<String, Tensor> readTensors(GgufCursor cursor, long count) {
    final Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      final String name = cursor.readName("tensor name");
      final Tensor tensor =
          Messages.about("tensor " + Messages.quoted(name), () -> readTensor(cursor, name));
      if (tensors.put(name, tensor) != null) {
        throw new ModelFormatException("the tensor " + Messages.quoted(name) + " appears twice");
      }
    }
    return tensors;
  }

  private static Tensor readTensor(GgufCursor cursor, String name) {
    final int dimensionCount = cursor.readInt("dimension count");
    if (dimensionCount < 1 || dimensionCount > DIMENSION_COUNT_MAX) {
      throw new ModelFormatException(
          "it has %s dimensions, expected 1 to %d"
              .formatted(Integer.toUnsignedString(dimensionCount), DIMENSION_COUNT_MAX));
    }
    final Long[] dimensions = new Long[dimensionCount];
    for (int i = 0; i < dimensionCount; i++) dimensions[i] = cursor.readLong("dimension");
    final GgmlType type = GgmlType.of(cursor.readInt("tensor type"));
    final long byteLength = byteLength(type, List.of(dimensions));
    return new Tensor(
        name, type, List.of(dimensions), cursor.readLong("tensor offset"), byteLength);
  }

  private static long byteLength(GgmlType type, List<Long> dimensions) {
    long valueCount = 1;
    for (long dimension : dimensions) {
      if (dimension <= 0
          || Math.multiplyHigh(valueCount, dimension) != 0
          || valueCount * dimension < 0) {
        throw new ModelFormatException("its dimensions " + dimensions + " are out of range");
      }
      valueCount *= dimension;
    }
    if (dimensions.getFirst() % type.blockLength() != 0) {
      throw new ModelFormatException(
          "its rows have %d values, expected a multiple of %d for type %s"
              .formatted(dimensions.getFirst(), type.blockLength(), type));
    }
    final long blockCount = valueCount / type.blockLength();
    if (blockCount > Long.MAX_VALUE / type.blockBytes()) {
      throw new ModelFormatException("its dimensions " + dimensions + " are out of range");
    }
    return blockCount * type.blockBytes();
  }

  /** Turns offsets into places in the file, and checks that they lie in it and do not overlap. */
  private static Map<String, Tensor> place(
      Map<String, Tensor> tensors, long headerEnd, int alignment, long fileLength) {
    final long dataStart = (headerEnd + alignment - 1) & -alignment;
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      final Tensor tensor = entry.getValue();
      final long offset = tensor.offset;
      if (offset < 0 || offset % alignment != 0) {
        throw new ModelFormatException(
            "tensor %s lies at offset %s, expected a multiple of %d"
                .formatted(Messages.quoted(tensor.name), Long.toUnsignedString(offset), alignment));
      }
      if (offset > fileLength - dataStart || tensor.byteLength > fileLength - dataStart - offset) {
        throw new ModelFormatException(
            "tensor %s needs %d bytes at offset %d of the tensor data, which has %d bytes; is the file complete?"
                .formatted(
                    Messages.quoted(tensor.name),
                    tensor.byteLength,
                    offset,
                    Math.max(0, fileLength - dataStart)));
      }
      entry.setValue(
          new Tensor(
              tensor.name, tensor.type, tensor.dimensions, dataStart + offset, tensor.byteLength));
    }
    requireApart(tensors);
    return Collections.unmodifiableMap(tensors);
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

  public int version() {
    return version;
  }

  public GgufMetadata metadata() {
    return metadata;
  }

  /** Names of all tensors, in the file's order. */
  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public WeightMatrix matrix(String name) {
    final Tensor tensor = require(name);
    return Messages.about("tensor " + Messages.quoted(name), () -> matrix(tensor));
  }

  @Override
  public List<WeightMatrix> stack(String name) {
    final Tensor tensor = require(name);
    return Messages.about("tensor " + Messages.quoted(name), () -> stack(tensor));
  }

  private Tensor require(String name) {
    final Tensor tensor = tensors.get(name);
    if (tensor == null)
      throw new ModelFormatException("the tensor " + Messages.quoted(name) + " is missing");
    return tensor;
  }

  private List<WeightMatrix> stack(Tensor tensor) {
    final List<Long> dimensions = tensor.dimensions;
    if (dimensions.size() < 2 || dimensions.stream().skip(3).anyMatch(d -> d != 1)) {
      throw new ModelFormatException("its dimensions are " + dimensions + ", expected three");
    }
    final long count = dimensions.size() == 2 ? 1 : dimensions.get(2);
    final long bytes = count == 0 ? 0 : tensor.byteLength / count;
    final List<WeightMatrix> stack = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      stack.add(
          matrix(
              new Tensor(
                  tensor.name,
                  tensor.type,
                  dimensions.subList(0, 2),
                  tensor.offset + i * bytes,
                  bytes)));
    }
    return stack;
  }

  private WeightMatrix matrix(Tensor tensor) {
    final List<Long> dimensions = tensor.dimensions;
    final long columnCount = dimensions.getFirst();
    final long rowCount = dimensions.size() == 1 ? 1 : dimensions.get(1);
    if (dimensions.stream().skip(2).anyMatch(d -> d != 1)
        || columnCount != (int) columnCount
        || rowCount != (int) rowCount) {
      throw new ModelFormatException("its dimensions are " + dimensions + ", expected at most two");
    }
    return new WeightMatrix(
        tensor.name,
        tensor.type.weightType(),
        (int) rowCount,
        (int) columnCount,
        file.asSlice(tensor.offset, tensor.byteLength));
  }
}
