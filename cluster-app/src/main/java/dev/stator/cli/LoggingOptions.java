package dev.stator.cli;

import com.typesafe.config.Config;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/**
 * How much is logged, and in which form. They become system properties that {@code logback.xml}
 * reads, so they must be applied before the first logger is made.
 */
final class LoggingOptions {
  private static final String LEVEL_PROPERTY = "stator.log.level";
  private static final String FORMAT_PROPERTY = "stator.log.format";

  @Option(
      names = "--verbose",
      description = "Log what happens, not only what goes wrong; show stack traces.")
  private boolean verbose;

  @Option(names = "--log-json", description = "Log one JSON object a line instead of text.")
  private boolean json;

  /**
   * {@code stator.log.level} and {@code stator.log.format} of a file count unless an option is
   * given.
   */
  void apply(Config config) {
    if (verbose) {
      System.setProperty(LEVEL_PROPERTY, "DEBUG");
    } else if (config.hasPath(LEVEL_PROPERTY)) {
      System.setProperty(LEVEL_PROPERTY, config.getString(LEVEL_PROPERTY));
    }
    if (json) {
      System.setProperty(FORMAT_PROPERTY, "JSON");
    } else if (config.hasPath(FORMAT_PROPERTY)) {
      System.setProperty(
          FORMAT_PROPERTY, config.getString(FORMAT_PROPERTY).toUpperCase(Locale.ROOT));
    }
  }

  /** The words of a command line that say the same to another process. */
  List<String> toArguments() {
    final List<String> words = new ArrayList<>();
    if (verbose) words.add("--verbose");
    if (json) words.add("--log-json");
    return words;
  }

  static boolean isVerbose() {
    return "DEBUG".equals(System.getProperty(LEVEL_PROPERTY));
  }
}
