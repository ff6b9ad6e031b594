package dev.stator.multijvm.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a process holds at one moment.
 *
 * @param files descriptors
 * @param heapBytes of living objects, after a full collection
 * @param buffers objects that stand for memory outside of the heap
 */
public record ProcessLook(int files, long heapBytes, long buffers) {
  private static final Path JCMD = Path.of(System.getProperty("java.home"), "bin", "jcmd");
  private static final Pattern TOTAL = Pattern.compile("(?m)^Total +\\d+ +(\\d+)");
  private static final Pattern BUFFERS =
      Pattern.compile(
          "(?m)^ *\\d+: +(\\d+) +\\d+"
              + " +(?:java\\.nio\\.DirectByteBuffer|jdk\\.internal\\.foreign\\.NativeMemorySegmentImpl)"
              + " ");

  /** Looks at a JVM of this user's; collects its garbage. */
  static ProcessLook at(long pid) throws IOException {
    final String histogram =
        SystemCommand.run(
            StatorProcess.PATIENCE, JCMD.toString(), Long.toString(pid), "GC.class_histogram");
    final Matcher total = TOTAL.matcher(histogram);
    if (!total.find()) throw new AssertionError("no histogram: " + histogram);
    final long buffers =
        BUFFERS
            .matcher(histogram)
            .results()
            .mapToLong(found -> Long.parseLong(found.group(1)))
            .sum();
    return new ProcessLook(fileCount(pid), Long.parseLong(total.group(1)), buffers);
  }

  private static int fileCount(long pid) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
      return (int) files.count();
    }
  }

  /**
   * Files in memory that a process has made; they stay when it is killed. Others' pools are mapped
   * to be read only, and of others' media drivers nothing is mapped where pools are shared.
   */
  static Set<Path> madeInMemory(long pid) throws IOException {
    final Set<Path> found = new TreeSet<>();
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "maps"))) {
      final int path = line.indexOf("/dev/shm/stator-");
      final boolean isOwn = path >= 0 && line.contains(" rw-s ") && !line.endsWith("(deleted)");
      if (isOwn) found.add(Path.of(line.substring(path)));
    }
    return found;
  }
}
