package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same logits from interpreted, half compiled and compiled vector kernels, of any vector width.
 */
class SameBytesInAnyJvmTest {
  private static final long SECONDS_MAX = 120;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {"-Xint", "-XX:TieredStopAtLevel=1", "-XX:UseAVX=2", "-XX:MaxVectorSize=16"})
  void shouldGiveTheSameLogitsInAJvmStartedWith(String flag)
      throws IOException, InterruptedException {
    final Path output = folder.resolve("output");
    final Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+IgnoreUnrecognizedVMOptions",
                "-XX:+UseSerialGC",
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                flag,
                "-cp",
                System.getProperty("java.class.path"),
                NumericsProbe.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(process.waitFor(SECONDS_MAX, TimeUnit.SECONDS), "the JVM did not end");
    } finally {
      process.destroyForcibly();
    }
    final String printed = Files.readString(output, StandardCharsets.UTF_8);
    final String expected = NumericsProbe.hash(CpuDeviceSettings.Kernels.VECTOR);
    assertTrue(printed.strip().endsWith("lanes: " + expected), printed);
  }

  @Test
  void shouldGiveTheSameLogitsFromScalarKernels() {
    assertEquals(
        NumericsProbe.hash(CpuDeviceSettings.Kernels.VECTOR),
        NumericsProbe.hash(CpuDeviceSettings.Kernels.SCALAR));
  }
}
