package dev.stator.multijvm.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/**
 * What has a process find a GPU where there is none: a CUDA driver library, compiled from
 * gpu-runtime's test resources, that runs the kernels' host build of native-cuda.
 *
 * @param folder where the driver library lies
 * @param kernels the host build
 */
public record EmulatedGpu(Path folder, Path kernels) {
  private static final Path ROOT = Path.of(System.getProperty("stator.root"));
  private static final Path CUDA = Path.of("dev", "stator", "device", "cuda");
  private static final Path KERNELS =
      ROOT.resolve("native-cuda/target/test-classes")
          .resolve(CUDA)
          .resolve("libstator-cuda-emulated.so");
  private static final Path DRIVER =
      ROOT.resolve("gpu-runtime/src/test/resources").resolve(CUDA).resolve("stub_driver.c");
  private static final Duration COMPILE_TIME_MAX = Duration.ofMinutes(1);

  /**
   * Compiles the driver into a folder; where the kernels have no host build the test is skipped,
   * which says so.
   */
  public static EmulatedGpu orSkip(Path folder) throws IOException {
    Assumptions.assumeTrue(
        Files.exists(KERNELS), "needs the kernels' host build, which needs g++ on Linux");
    SystemCommand.run(
        COMPILE_TIME_MAX,
        "gcc",
        "-O1",
        "-shared",
        "-fPIC",
        "-o",
        folder.resolve("libcuda.so.1").toString(),
        DRIVER.toString(),
        "-ldl");
    return new EmulatedGpu(folder, KERNELS);
  }

  /** With which a process finds it. */
  Map<String, String> environment() {
    return Map.of("LD_LIBRARY_PATH", folder.toString(), "STUB_KERNELS", kernels.toString());
  }
}
