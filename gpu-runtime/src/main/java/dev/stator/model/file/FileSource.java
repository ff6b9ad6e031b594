package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Small files by name: those of a folder, or those that came with a model card. */
@FunctionalInterface
interface FileSource {
  /**
   * A file's bytes, empty when there is no such file.
   *
   * @throws ModelFormatException when it is longer than {@code bytesMax}, or no file
   */
  Optional<byte[]> read(String name, int bytesMax) throws IOException;

  static FileSource of(Path folder) {
    return (name, bytesMax) -> {
      final Path file = folder.resolve(name);
      return Files.exists(file) ? Optional.of(readFile(file, bytesMax)) : Optional.empty();
    };
  }

  static FileSource of(Map<String, byte[]> files) {
    return (name, bytesMax) -> {
      final byte[] bytes = files.get(name);
      if (bytes != null && bytes.length > bytesMax) throw tooLong(bytesMax);
      return Optional.ofNullable(bytes);
    };
  }

  private static byte[] readFile(Path file, int bytesMax) throws IOException {
    if (!Files.isRegularFile(file)) throw new ModelFormatException("it is not a file");
    try (InputStream in = Files.newInputStream(file)) {
      final byte[] bytes = in.readNBytes(bytesMax);
      if (bytes.length == bytesMax && in.read() >= 0) throw tooLong(bytesMax);
      return bytes;
    }
  }

  private static ModelFormatException tooLong(int bytesMax) {
    return new ModelFormatException("the file is longer than its limit of " + bytesMax + " bytes");
  }
}
