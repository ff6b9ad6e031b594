package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.StatorProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bench that starts clusters is terminated: nothing of them is left. */
@Order(Stage.OWN_CLUSTER)
class PlannerBenchTest {
  private static final int NODES = 3;

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldLeaveNothingWhenTheBenchIsTerminated() throws Exception {
    try (StatorProcess bench =
        StatorProcess.start(
            distribution.launcher(),
            folder,
            Map.of("STATOR_CACHE", "off", "STATOR_JAVA_OPTS", "-Djava.io.tmpdir=" + folder),
            "bench",
            "planner",
            "--real",
            "--slots",
            "2")) {
      Awaitility.await()
          .atMost(StatorProcess.PATIENCE)
          .ignoreExceptions() // A folder that changes while it is walked.
          .until(() -> !bench.isAlive() || nodes().count() == NODES);
      assertTrue(bench.isAlive(), bench::toString);
      final List<ProcessHandle> nodes = nodes().toList();
      bench.stop();
      for (ProcessHandle node : nodes) {
        Awaitility.await().atMost(StatorProcess.PATIENCE).until(() -> !node.isAlive());
      }
      assertEquals(List.of(), clusters(), bench::toString);
    }
  }

  /** The folders of its clusters, with their nodes' processes and logs. */
  private List<Path> clusters() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.endsWith("clusters")).toList();
    }
  }

  /** The living nodes of its clusters. */
  private Stream<ProcessHandle> nodes() {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.endsWith("process.json")).toList().stream()
          .flatMap(file -> ProcessHandle.of(pid(file)).stream())
          .filter(ProcessHandle::isAlive);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static long pid(Path file) {
    try {
      return new ObjectMapper().readTree(Files.readString(file)).path("pid").asLong();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
