package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** JCuda and all of this package in JVMs of their own, with a driver that has no GPU behind it. */
class StubbedCudaTest {
  private static final long SECONDS_MAX = 60;
  private static final String STUB = "GPU 0: Stub GPU 0, 0.1 GiB, compute capability ";

  @TempDir private static Path folder;
  private static Path kernels;

  @BeforeAll
  static void compile() throws IOException, InterruptedException {
    final Path driver = Files.createDirectory(folder.resolve("driver"));
    kernels = SmallKernels.compile(folder);
    stub(driver, "-O1");
    stub(Files.createDirectory(folder.resolve("old")), "-DcuGraphLaunch=cuGraphRun");
    stub(Files.createDirectory(folder.resolve("without-ipc")), "-DcuIpcOpenMemHandle_v2=cuIpcOpen");
    final Path fatbin = folder.resolve("fatbin/dev/stator/device/cuda/stator.fatbin");
    Files.createDirectories(fatbin.getParent());
    Files.writeString(fatbin, "stub");
  }

  private static void stub(Path to, String flag) throws IOException, InterruptedException {
    SmallKernels.gcc(to, to.resolve("libcuda.so.1"), List.of("stub_driver.c"), flag, "-ldl");
  }

  /** And that without a function that was not looked for before, whose lack ends a process. */
  @Test
  void shouldDoWhatEveryDriverDoesAndLeaveNothing() throws IOException, InterruptedException {
    final String printed = run(Map.of("STUB_COUNTS", "1", "STUB_DEVICES", "2"), "test");
    final List<String> outcomes =
        printed.lines().filter(line -> line.startsWith("should")).toList();
    assertTrue(outcomes.size() >= 10, printed);
    for (String outcome : outcomes) assertTrue(outcome.endsWith(" ok"), printed);
    assertTrue(printed.contains("left: 0 bytes, 0 contexts, 0 modules\n"), printed);
    final Set<String> called =
        printed
            .lines()
            .filter(line -> line.matches("cu\\w+ \\d+"))
            .map(line -> line.substring(0, line.indexOf(' ')))
            .collect(Collectors.toCollection(TreeSet::new));
    called.add("cuDriverGetVersion"); // For an obstacle.
    called.add("cuIpcCloseMemHandle"); // Of another process's memory.
    final Set<String> known = new TreeSet<>(DriverLibrary.FUNCTIONS);
    known.addAll(IpcCalls.FUNCTIONS);
    assertEquals(known, called);
  }

  /** One JVM lends memory; others open it: as it is, freed, and by a driver that cannot. */
  @Test
  void shouldOpenMemoryOfAnotherProcess() throws IOException, InterruptedException {
    final ProcessBuilder builder = builder("driver", true, Map.of(), folder, "lend");
    final Process lender = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    final String handle;
    try {
      handle = lender.inputReader().readLine();
      assertEquals(
          "42 was lent\nleft: 0 bytes, 0 contexts, 0 modules",
          run(Map.of("STUB_COUNTS", "1"), handle)
              .lines()
              .filter(line -> !line.startsWith("cu"))
              .collect(Collectors.joining("\n")));
      assertEquals(
          "the CUDA driver has no cuIpcOpenMemHandle_v2\n",
          run("without-ipc", true, Map.of(), handle));
      assertEquals(
          "cuIpcOpenMemHandle_v2: CUDA_ERROR_PEER_ACCESS_UNSUPPORTED (217)\n",
          run(Map.of("STUB_FAIL", "cuIpcOpenMemHandle_v2=217"), handle));
      lender.outputWriter().close();
      assertTrue(lender.waitFor(SECONDS_MAX, TimeUnit.SECONDS), "the JVM did not end");
    } finally {
      lender.destroyForcibly();
    }
    assertEquals("cuIpcOpenMemHandle_v2: CUDA_ERROR_INVALID_HANDLE (400)\n", run(Map.of(), handle));
  }

  @Test
  void shouldAnswerWithTheSameBytesAsEmulatedDevices() throws IOException, InterruptedException {
    final Map<String, String> likeIt =
        Map.of(
            "STUB_KERNELS",
            CudaTests.library().toString(),
            "STUB_CAPABILITY",
            "80",
            "STUB_DEVICES",
            "2");
    assertEquals(
        StubbedCuda.answer(List.of(CudaTests.emulated()))
            + "\n"
            + StubbedCuda.answer(List.of(CudaTests.emulated(), CudaTests.emulated()))
            + "\n",
        run(likeIt, "model", "parallel"));
  }

  @Test
  void shouldListAndOpenGpus() throws IOException, InterruptedException {
    assertEquals(
        STUB
            + "8.9\n"
            + STUB.replace("0:", "1:").replace("GPU 0,", "GPU 1,")
            + "8.9\nStub GPU 1, compute capability 8.9 works\nthere is no GPU 2\n",
        run(Map.of("STUB_DEVICES", "2", "STUB_CAPABILITY", "89"), "list", "1", "2"));
  }

  @ParameterizedTest
  @CsvSource({
    "STUB_DEVICES, 0, there is no usable GPU: cuInit: CUDA_ERROR_NO_DEVICE (100)",
    "STUB_FAIL, cuDeviceGetCount=999, "
        + "there is no usable GPU: cuDeviceGetCount: CUDA_ERROR_UNKNOWN (999)",
    "STUB_CAPABILITY, 75, '" + STUB + "7.5; not used: the kernels need 8.0 or more'",
    "STUB_FAIL, cuModuleLoadDataEx=222, '"
        + STUB
        + "9.0; not used: the driver, for CUDA 13.0, does not load the kernels: "
        + "cuModuleLoadDataEx: CUDA_ERROR_UNSUPPORTED_PTX_VERSION (222)'",
    "STUB_FAIL, cuDevicePrimaryCtxRetain=46, '"
        + STUB
        + "9.0; not used: the driver, for CUDA 13.0, does not load the kernels: "
        + "cuDevicePrimaryCtxRetain: CUDA_ERROR_DEVICE_UNAVAILABLE (46)'"
  })
  void shouldSayWhyNoGpuCanBeUsed(String key, String value, String obstacle)
      throws IOException, InterruptedException {
    final boolean isListed = obstacle.startsWith("GPU");
    assertEquals(
        "none: %s\n%s%s\n"
            .formatted(
                obstacle,
                isListed ? obstacle + "\n" : "",
                isListed ? obstacle : "there is no GPU 0: " + obstacle),
        run(Map.of(key, value), "list", "0"));
  }

  @Test
  void shouldSayWhatIsMissing() throws IOException, InterruptedException {
    assertEquals(
        "none: there is no CUDA driver (libcuda.so.1)\n", run("none", true, Map.of(), "list"));
    assertEquals(
        "none: the CUDA driver is too old, it has no cuGraphLaunch\n",
        run("old", true, Map.of(), "list"));
    assertEquals(
        "none: this build has no CUDA kernels, it had no nvcc\n",
        run("driver", false, Map.of(), "list"));
  }

  /** Each call fails in a JVM of its own, after the search for GPUs, which succeeds. */
  @ParameterizedTest
  @CsvSource({
    "cuDevicePrimaryCtxRetain=46@1, cuDevicePrimaryCtxRetain: CUDA_ERROR_DEVICE_UNAVAILABLE (46)",
    "cuModuleGetFunction=500, cuModuleGetFunction add_f32: CUDA_ERROR_NOT_FOUND (500)",
    "cuMemAlloc_v2=999, cuMemAlloc: CUDA_ERROR_UNKNOWN (999)",
    "cuLaunchKernel=701, cuLaunchKernel add_f32: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701)",
    "cuStreamSynchronize=700, cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS (700)"
  })
  void shouldNameTheCallAndTheCodeWhenTheDriverRefuses(String failure, String message)
      throws IOException, InterruptedException {
    assertEquals(message + "\n", run(Map.of("STUB_FAIL", failure), "0"));
  }

  /** Returns what a JVM prints. */
  private static String run(Map<String, String> environment, String... args)
      throws IOException, InterruptedException {
    return run("driver", true, environment, args);
  }

  private static String run(
      String driver, boolean hasKernels, Map<String, String> environment, String... args)
      throws IOException, InterruptedException {
    final Path temporary = Files.createTempDirectory(folder, "tmp");
    final Path output = temporary.resolveSibling(temporary.getFileName() + ".txt");
    final Process process =
        builder(driver, hasKernels, environment, temporary, args)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(process.waitFor(SECONDS_MAX, TimeUnit.SECONDS), "the JVM did not end");
    } finally {
      process.destroyForcibly();
    }
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList(), "JCuda's library is left behind");
    }
    return Files.readString(output);
  }

  private static ProcessBuilder builder(
      String driver,
      boolean hasKernels,
      Map<String, String> environment,
      Path temporary,
      String... args) {
    final ProcessBuilder builder = new ProcessBuilder(command(hasKernels, temporary, args));
    builder.environment().put("LD_LIBRARY_PATH", folder.resolve(driver).toString());
    builder.environment().put("STUB_KERNELS", kernels.toString());
    builder.environment().putAll(environment);
    return builder;
  }

  private static List<String> command(boolean hasKernels, Path temporary, String... args) {
    final Stream<String> others =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.contains("native-cuda"));
    final Stream<String> entries =
        hasKernels ? Stream.concat(Stream.of(folder.resolve("fatbin").toString()), others) : others;
    final List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                entries.collect(Collectors.joining(File.pathSeparator)),
                StubbedCuda.class.getName()));
    command.addAll(List.of(args));
    return command;
  }
}
