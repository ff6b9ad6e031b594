package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** How this package words what it finds: one line, whatever the file holds. */
final class Messages {
  private static final int QUOTED_LENGTH_MAX = 80;

  private Messages() {}

  /** A step that reads a file. */
  interface Step<T> {
    T run() throws IOException;
  }

  /** Runs a step; what it finds wrong is said of the file {@code name}. */
  static <T> T about(String name, Step<T> step) {
    try {
      return step.run();
    } catch (ModelFormatException e) {
      throw new ModelFormatException(name + ": " + e.getMessage(), e);
    } catch (NoSuchFileException e) {
      throw new ModelFormatException(name + ": there is no such file", e);
    } catch (AccessDeniedException e) {
      throw new ModelFormatException(name + ": the file may not be read by this user", e);
    } catch (IOException e) {
      throw new ModelFormatException(
          name + ": the file cannot be read: " + oneLine(String.valueOf(e.getMessage())), e);
    }
  }

  /** The last element of a path, safe to print. */
  static String nameOf(Path path) {
    final Path name = path.toAbsolutePath().normalize().getFileName();
    return oneLine(name == null ? path.toString() : name.toString());
  }

  /**
   * Text from a file, as it may appear in a sentence: in quotes, cut when long, without control
   * characters.
   */
  static String quoted(String text) {
    return "'" + oneLine(text) + "'";
  }

  /** Text from elsewhere, cut when long, without control characters. */
  static String oneLine(String text) {
    final boolean isCut = text.length() > QUOTED_LENGTH_MAX;
    final StringBuilder line = new StringBuilder();
    (isCut ? text.substring(0, QUOTED_LENGTH_MAX) : text)
        .codePoints()
        .forEach(c -> line.appendCodePoint(isPrintable(c) ? c : '\uFFFD'));
    return isCut ? line.append("...").toString() : line.toString();
  }

  private static boolean isPrintable(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.UNASSIGNED,
          Character.PRIVATE_USE ->
          false;
      default -> true;
    };
  }
}
