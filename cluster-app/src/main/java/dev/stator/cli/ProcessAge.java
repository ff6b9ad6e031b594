package dev.stator.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/**
 * How long this process has lived, the launcher's part included, since that part became this
 * process.
 */
final class ProcessAge {
  private static final Path STAT = Path.of("/proc/self/stat");
  private static final Path UPTIME = Path.of("/proc/uptime");

  /** Of the times in {@code /proc}: fixed at 100 for programs, whatever the kernel's own. */
  private static final int TICKS_PER_SECOND = 100;

  /** Field 22 of {@code /proc/self/stat}, counted after the name, which may hold anything. */
  private static final int START_TIME_AFTER_NAME = 19;

  private ProcessAge() {}

  static Duration now() {
    try {
      return between(Files.readString(STAT), Files.readString(UPTIME));
    } catch (IOException | RuntimeException notLinux) {
      final Instant now = Instant.now();
      return Duration.between(ProcessHandle.current().info().startInstant().orElse(now), now);
    }
  }

  /**
   * Precise to 10 ms, where the start time that {@link ProcessHandle} gives is off by up to a
   * second.
   *
   * @param stat content of {@code /proc/self/stat}
   * @param uptime content of {@code /proc/uptime}
   */
  static Duration between(String stat, String uptime) {
    final String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ");
    final double startSeconds =
        Double.parseDouble(fields[START_TIME_AFTER_NAME]) / TICKS_PER_SECOND;
    final double nowSeconds = Double.parseDouble(uptime.split(" ")[0]);
    return Duration.ofMillis(Math.round((nowSeconds - startSeconds) * 1e3));
  }
}
