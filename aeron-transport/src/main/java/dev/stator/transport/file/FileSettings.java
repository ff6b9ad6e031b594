package dev.stator.transport.file;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * {@code stator.transport.file} in reference.conf; read and checked once, at start.
 *
 * @param folder that all processes see
 * @param pollMin between two looks while something moves
 * @param pollMax between two looks while nothing does
 * @param blocksMax blocks written and not answered, or waiting to be written
 * @param staleAfter silence after which a process's folder is deleted by another that starts
 */
public record FileSettings(
    Path folder, Duration pollMin, Duration pollMax, int blocksMax, Duration staleAfter) {
  public FileSettings {
    requirePositive("poll-min", pollMin);
    requirePositive("poll-max", pollMax);
    requirePositive("stale-after", staleAfter);
    if (pollMax.compareTo(pollMin) < 0) {
      throw new IllegalArgumentException(
          "stator.transport.file.poll-max is shorter than poll-min: " + pollMax);
    }
    if (staleAfter.compareTo(pollMax.multipliedBy(10)) < 0) {
      throw new IllegalArgumentException(
          "stator.transport.file.stale-after must be ten poll-max at least: " + staleAfter);
    }
    if (blocksMax <= 0) {
      throw new IllegalArgumentException(
          "stator.transport.file.blocks-max must be positive: " + blocksMax);
    }
  }

  /**
   * Empty when no folder is set.
   *
   * @param config at {@code stator.transport}
   */
  public static Optional<FileSettings> from(Config config) {
    final Config file = config.getConfig("file");
    final String folder = file.getString("folder");
    if (folder.isEmpty()) return Optional.empty();
    return Optional.of(
        new FileSettings(
            Path.of(folder),
            file.getDuration("poll-min"),
            file.getDuration("poll-max"),
            file.getInt("blocks-max"),
            file.getDuration("stale-after")));
  }

  private static void requirePositive(String key, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(
          "stator.transport.file." + key + " must be positive: " + value);
    }
  }
}
