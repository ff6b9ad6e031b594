package dev.stator.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** What the operator wrote, in a file and in {@code -D key=value}; the defaults are not in it. */
final class ConfigOverlay {
  /** What a node that is alone reads unless told otherwise. */
  static final String SINGLE_FILE = "single.conf";

  /** What a node of a cluster reads, by whether it does everything itself. */
  static final String AGGREGATED_FILE = "agg.conf";

  static final String DISAGGREGATED_FILE = "disagg.conf";

  private ConfigOverlay() {}

  /**
   * An overlay over each module's {@code reference.conf}, with its substitutions made.
   *
   * @throws ConfigException when a substitution that must have a value has none
   */
  static Config overDefaults(Config overlay) {
    return overlay.withFallback(ConfigFactory.defaultReferenceUnresolved()).resolve();
  }

  /**
   * The operator's part alone, its substitutions not yet made: they may refer to defaults.
   *
   * @param file {@code null} takes {@code defaultFile} of the distribution's {@code config/} where
   *     there is one
   * @throws UsageException when the file is missing or cannot be parsed, or a definition cannot
   */
  static Config read(
      Path file, String defaultFile, Optional<Path> home, Map<String, String> definitions) {
    Config config = fileOrDefault(file, defaultFile, home);
    for (var definition : definitions.entrySet()) {
      config = definition(definition.getKey(), definition.getValue()).withFallback(config);
    }
    return config;
  }

  private static Config fileOrDefault(Path file, String defaultFile, Optional<Path> home) {
    if (file != null) {
      if (!Files.isRegularFile(file)) {
        throw new UsageException("no configuration file at " + file.toAbsolutePath());
      }
      return parse(file);
    }
    return home.map(folder -> folder.resolve("config").resolve(defaultFile))
        .filter(Files::isRegularFile)
        .map(ConfigOverlay::parse)
        .orElse(ConfigFactory.empty());
  }

  private static Config parse(Path file) {
    try {
      return ConfigFactory.parseFile(
          file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false));
    } catch (ConfigException wrong) {
      throw new UsageException("the configuration cannot be read: " + wrong.getMessage());
    }
  }

  /** A list, object or quoted string is HOCON; anything else is taken as it stands. */
  private static Config definition(String key, String value) {
    try {
      return value.matches("\\s*[\\[{\"].*")
          ? ConfigFactory.parseString(
              key + " = " + value, ConfigParseOptions.defaults().setOriginDescription("-D"))
          : ConfigFactory.parseMap(Map.of(key, value), "-D " + key);
    } catch (ConfigException wrong) {
      throw new UsageException(
          "-D %s=%s cannot be read: %s".formatted(key, value, wrong.getMessage()));
    }
  }
}
