package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The driver that tests of kernels run on: an {@link EmulatedDriver}, or with {@code
 * -Dstator.test.cuda=device} the first real device.
 */
final class CudaTests {
  private static final String LIBRARY = "libstator-cuda-emulated.so";
  private static final long EMULATED_BYTES = 1L << 30;

  private static Driver kept; // Null without a GPU.

  private CudaTests() {}

  /** Closed by the caller. The test is skipped where the kernels' host build is missing. */
  static Driver open() {
    return isDevice() ? openGpu() : emulated();
  }

  /** As {@link #open}; other processes get at its memory. */
  static Driver openShared() {
    return isDevice() ? openGpu() : EmulatedDriver.shared(library(), EMULATED_BYTES);
  }

  static boolean isDevice() {
    return "device".equals(System.getProperty("stator.test.cuda"));
  }

  /** As {@link #open}, never the real device. */
  static EmulatedDriver emulated() {
    return new EmulatedDriver(library(), EMULATED_BYTES);
  }

  /** As {@link #emulated}, another device. */
  static EmulatedDriver emulated(EmulatedDriver.Kind kind) {
    return new EmulatedDriver(library(), EMULATED_BYTES, kind);
  }

  /** One of compute capability 9.0; the test is skipped where the real device is another. */
  static Driver openHopper() {
    if (!isDevice()) return emulated(EmulatedDriver.Kind.HOPPER);
    final Driver driver = openGpu();
    final int capability = driver.computeCapability();
    if (!WgmmaProbe.hasWgmma(driver)) driver.close();
    assumeTrue(capability == 90, "needs a device of compute capability 9.0");
    return driver;
  }

  /** The kernels' host build. The test is skipped where it is missing. */
  static Path library() {
    assumeTrue(Library.PATH != null, "needs the kernels' host build, which needs g++");
    return Library.PATH;
  }

  /** One is kept open, because a context that comes and goes with each test takes long. */
  private static synchronized Driver openGpu() {
    if (kept == null) kept = Cuda.open(0);
    return Cuda.open(0);
  }

  private static final class Library {
    private static final Path PATH = extract();

    private static Path extract() {
      try (InputStream resource = CudaTests.class.getResourceAsStream(LIBRARY)) {
        if (resource == null) return null;
        final Path folder = Files.createTempDirectory("stator-cuda-");
        folder.toFile().deleteOnExit();
        final Path path = folder.resolve(LIBRARY);
        path.toFile().deleteOnExit();
        Files.copy(resource, path);
        return path;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
