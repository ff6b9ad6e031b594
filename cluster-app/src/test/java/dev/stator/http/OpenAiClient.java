package dev.stator.http;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * The official {@code openai} package for Node, installed below {@code target}, and the script that
 * uses it.
 */
public final class OpenAiClient {
  private static final List<String> FILES =
      List.of("package.json", "package-lock.json", "openai-client.mjs");
  private static final int PATIENCE_SECONDS = 120;

  private final Path folder;

  private OpenAiClient(Path folder) {
    this.folder = folder;
  }

  /** Installs the package, once; without Node, npm or its registry, the calling test is skipped. */
  public static OpenAiClient install() {
    Assumptions.assumeTrue(works("node", "--version"), "needs node");
    Assumptions.assumeTrue(works("npm", "--version"), "needs npm");
    Path module = Path.of(System.getProperty("stator.root"), "cluster-app");
    Path folder = module.resolve("target").resolve("openai-client");
    try {
      Files.createDirectories(folder);
      for (String file : FILES) {
        Path source = module.resolve("src/test/node").resolve(file);
        Files.copy(source, folder.resolve(file), StandardCopyOption.REPLACE_EXISTING);
      }
      if (!isInstalled(folder)) {
        Result installed = run(folder, List.of("npm", "ci", "--no-audit", "--no-fund"));
        Assumptions.assumeTrue(
            installed.status == 0, "needs the npm package openai: " + installed.output);
        Files.copy(
            folder.resolve("package-lock.json"),
            installedMark(folder),
            StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException failure) {
      throw new AssertionError("cannot set up the client", failure);
    }
    return new OpenAiClient(folder);
  }

  /**
   * Runs the script's cases against a server.
   *
   * @param server its root, such as {@code http://127.0.0.1:8080}
   * @param options of the script, see there
   */
  public void drive(URI server, String model, String... options) {
    List<String> command = new ArrayList<>(List.of("node", "openai-client.mjs"));
    command.add(server.toString());
    command.add(model);
    command.addAll(List.of(options));
    Result result = run(folder, command);
    if (result.status != 0) throw new AssertionError(result.output);
    System.out.print(result.output);
  }

  private record Result(int status, String output) {}

  private static Path installedMark(Path folder) {
    return folder.resolve("node_modules").resolve(".installed-lock.json");
  }

  private static boolean isInstalled(Path folder) throws IOException {
    Path mark = installedMark(folder);
    return Files.exists(mark) && Files.mismatch(mark, folder.resolve("package-lock.json")) < 0;
  }

  private static boolean works(String... command) {
    try {
      return run(Path.of("."), List.of(command)).status == 0;
    } catch (AssertionError absent) {
      return false;
    }
  }

  private static Result run(Path folder, List<String> command) {
    try {
      Path output = Files.createTempFile("openai-client", ".txt");
      try {
        Process process =
            new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError(command + " hangs: " + Files.readString(output));
        }
        return new Result(process.exitValue(), Files.readString(output));
      } finally {
        Files.delete(output);
      }
    } catch (IOException | InterruptedException failure) {
      throw new AssertionError("cannot run " + command, failure);
    }
  }
}
