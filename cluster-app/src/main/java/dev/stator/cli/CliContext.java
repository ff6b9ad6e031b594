package dev.stator.cli;

import java.io.BufferedReader;
import java.io.Console;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What commands see of the process around them.
 *
 * @param home the folder of the distribution, with {@code config/} and {@code models/}; empty when
 *     started by hand
 * @param environment environment variables
 * @param input standard input, UTF-8
 * @param console the terminal when both ends are one; {@code null} in a pipe
 */
public record CliContext(
    NodeStarter starter,
    Optional<Path> home,
    Map<String, String> environment,
    BufferedReader input,
    Console console) {

  /** The process as it is; {@code -Dstator.home}, set by the launcher, names the home. */
  public static CliContext ofProcess(NodeStarter starter) {
    final Console console = System.console();
    return new CliContext(
        starter,
        Optional.ofNullable(System.getProperty("stator.home")).map(Path::of),
        System.getenv(),
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
        console != null && console.isTerminal() ? console : null);
  }

  /** Whether a person looks on. */
  public boolean isTerminal() {
    return console != null;
  }
}
