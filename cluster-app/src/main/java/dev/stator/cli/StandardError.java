package dev.stator.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;

/**
 * The launcher hands Java a filtered standard error, since Java 25 warns of the incubating Vector
 * API at every start, and the true one as another file descriptor, whose number is in {@code
 * stator.stderr}. What this process says goes to the true one, so that it keeps its order with
 * standard output.
 */
final class StandardError {
  private static final String DESCRIPTOR_PROPERTY = "stator.stderr";

  private StandardError() {}

  /** Makes the true standard error this process's; does nothing without a launcher. */
  static void restore() {
    final Integer number = Integer.getInteger(DESCRIPTOR_PROPERTY);
    if (number == null) return;
    try {
      // Opened by the launcher's --add-opens=java.base/java.io; there is no public way.
      final Constructor<FileDescriptor> constructor =
          FileDescriptor.class.getDeclaredConstructor(int.class);
      constructor.setAccessible(true);
      final FileOutputStream stream = new FileOutputStream(constructor.newInstance(number));
      System.setErr(new PrintStream(stream, true, StandardCharsets.UTF_8));
    } catch (ReflectiveOperationException | RuntimeException notOpened) {
      // The filtered one serves as well; only the order of lines may differ.
    }
  }
}
