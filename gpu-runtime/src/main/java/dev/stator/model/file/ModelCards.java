package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Model cards: bytes that carry a model's tokenizer, chat template and defaults to nodes that do
 * not have its files.
 *
 * <pre>
 *   0         4         8          12         14
 *   +---------+---------+----------+----------+---------+------------+----------------+
 *   | "SMCD"  | version | context  | name     | name,   | file count | files ...      |
 *   |         | (1)     | length   | length   | UTF-8   | (u16)      |                |
 *   +---------+---------+----------+----------+---------+------------+----------------+
 *   file   name length: u16, name, length: u32, that many bytes
 * </pre>
 *
 * Numbers are big-endian. The files are the header of a GGUF file without its tensors ({@code
 * header.gguf}), or the JSON and template files of a Hugging Face folder. Equal files, names and
 * lengths make equal cards. A card is read as suspiciously as the files themselves; its size is
 * bounded by {@code stator.model-files.card-bytes-max}.
 */
public final class ModelCards {
  private static final int MAGIC = 0x534D4344;
  private static final int VERSION = 1;
  private static final String GGUF_HEADER = "header.gguf";
  private static final int NAME_BYTES_MAX = 1024;
  private static final int FILE_COUNT_MAX = 16;
  private static final String SUBJECT = "the model card";

  private ModelCards() {}

  /**
   * The card of a model.
   *
   * @param model a GGUF file or a Hugging Face folder that {@link ModelFiles#open} takes
   * @param name the name clients use, up to 1024 bytes
   * @param contextLength what the model's workers can hold; positive
   * @throws ModelFormatException one sentence that names the file, when no card can be made of it
   */
  public static byte[] write(Path model, String name, int contextLength) {
    final ModelFileLimits limits = ModelFileLimits.load();
    return Messages.about(
        Messages.nameOf(model),
        () -> {
          final Map<String, byte[]> files =
              Files.isDirectory(model) ? folderFiles(model, limits) : ggufHeader(model, limits);
          return encode(name, contextLength, files, limits);
        });
  }

  /**
   * Understands a card.
   *
   * @throws ModelFormatException one sentence, when it is broken or of another version
   */
  public static ModelCard read(byte[] card) {
    return read(card, ModelFileLimits.load());
  }

  static ModelCard read(byte[] card, ModelFileLimits limits) {
    return Messages.about(SUBJECT, () -> decode(card, limits));
  }

  private static Map<String, byte[]> ggufHeader(Path model, ModelFileLimits limits)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      final MemorySegment file = GgufFile.map(model, arena);
      return Map.of(GGUF_HEADER, GgufFile.metadataSection(file, limits));
    }
  }

  private static Map<String, byte[]> folderFiles(Path folder, ModelFileLimits limits)
      throws IOException {
    final FileSource source = FileSource.of(folder);
    final Map<String, byte[]> files = new LinkedHashMap<>();
    for (String name : HuggingFaceText.FILE_NAMES) {
      source.read(name, limits.cardBytesMax()).ifPresent(bytes -> files.put(name, bytes));
    }
    return files;
  }

  private static byte[] encode(
      String name, int contextLength, Map<String, byte[]> files, ModelFileLimits limits) {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(MAGIC);
      out.writeInt(VERSION);
      out.writeInt(contextLength);
      writeName(out, name);
      out.writeShort(files.size());
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        writeName(out, file.getKey());
        out.writeInt(file.getValue().length);
        out.write(file.getValue());
        requireSize(out.size(), limits);
      }
    } catch (IOException impossible) { // The target is memory.
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  private static void writeName(DataOutputStream out, String name) throws IOException {
    final byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    if (bytes.length == 0 || bytes.length > NAME_BYTES_MAX) {
      throw new ModelFormatException(
          "a name has %d bytes, expected 1 to %d".formatted(bytes.length, NAME_BYTES_MAX));
    }
    out.writeShort(bytes.length);
    out.write(bytes);
  }

  private static void requireSize(int byteCount, ModelFileLimits limits) {
    if (byteCount < 0 || byteCount > limits.cardBytesMax()) {
      throw new ModelFormatException(
          "the model card is longer than its limit (card-bytes-max) of %d bytes"
              .formatted(limits.cardBytesMax()));
    }
  }

  private static ModelCard decode(byte[] card, ModelFileLimits limits) {
    requireSize(card.length, limits);
    final ByteBuffer in = ByteBuffer.wrap(card);
    require(in, 3 * Integer.BYTES);
    if (in.getInt() != MAGIC) throw new ModelFormatException("it does not begin with 'SMCD'");
    final int version = in.getInt();
    if (version != VERSION) {
      throw new ModelFormatException("its version is %d, expected %d".formatted(version, VERSION));
    }
    final int contextLength = in.getInt();
    if (contextLength < 1) {
      throw new ModelFormatException("its context length is %d tokens".formatted(contextLength));
    }
    final String name = readName(in);
    final ModelText text = text(readFiles(in), limits);
    return new ModelCard(
        name, contextLength, text.tokenizer(), text.chatTemplate(), text.defaults());
  }

  private static Map<String, byte[]> readFiles(ByteBuffer in) {
    require(in, Short.BYTES);
    final int count = Short.toUnsignedInt(in.getShort());
    if (count > FILE_COUNT_MAX) {
      throw new ModelFormatException(
          "it has %d files, at most %d".formatted(count, FILE_COUNT_MAX));
    }
    final Map<String, byte[]> files = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      final String name = readName(in);
      require(in, Integer.BYTES);
      final byte[] bytes = readBytes(in, in.getInt());
      if (files.put(name, bytes) != null) {
        throw new ModelFormatException("the file " + Messages.quoted(name) + " appears twice");
      }
    }
    if (in.hasRemaining()) {
      throw new ModelFormatException("%d bytes follow its end".formatted(in.remaining()));
    }
    return files;
  }

  private static ModelText text(Map<String, byte[]> files, ModelFileLimits limits) {
    final byte[] gguf = files.get(GGUF_HEADER);
    if (gguf != null) {
      return GgufModel.text(GgufFile.read(MemorySegment.ofArray(gguf), limits).metadata());
    }
    return new HuggingFaceText(FileSource.of(files), new JsonFiles(limits)).read();
  }

  private static String readName(ByteBuffer in) {
    require(in, Short.BYTES);
    final int length = Short.toUnsignedInt(in.getShort());
    if (length == 0 || length > NAME_BYTES_MAX) {
      throw new ModelFormatException(
          "a name has %d bytes, expected 1 to %d".formatted(length, NAME_BYTES_MAX));
    }
    final String name = new String(readBytes(in, length), StandardCharsets.UTF_8);
    if (name.chars().anyMatch(c -> c < ' ' || c == 0x7F || c == '\uFFFD')) {
      throw new ModelFormatException("the name " + Messages.quoted(name) + " is no plain text");
    }
    return name;
  }

  private static byte[] readBytes(ByteBuffer in, int length) {
    require(in, length);
    final byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  private static void require(ByteBuffer in, int byteCount) {
    if (byteCount < 0 || byteCount > in.remaining()) {
      throw new ModelFormatException(
          "it ends after %d bytes, in the middle of something".formatted(in.limit()));
    }
  }
}
