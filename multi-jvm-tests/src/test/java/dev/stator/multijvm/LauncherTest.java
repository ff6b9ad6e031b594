package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.StatorProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher of the distribution: finds Java, passes everything on, says nothing of its own. */
@Order(0)
class LauncherTest {
  private static final Map<String, String> NO_CACHE = Map.of("STATOR_CACHE", "off");

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldShowTheVersionAndNoWarning() throws Exception {
    try (StatorProcess stator = StatorProcess.start(distribution, "version")) {
      assertEquals(0, stator.waitForExit());
      assertTrue(stator.out().matches("(?s)stator \\d+\\.\\d+\\S*\nJava 25.*\n"), stator.out());
      assertEquals("", stator.err());
    }
  }

  @Test
  void shouldInspectTheBundledModelThroughALinkFromAnotherFolder() throws Exception {
    final Path link =
        Files.createSymbolicLink(folder.resolve("link to stator"), distribution.launcher());
    try (StatorProcess stator =
        StatorProcess.start(link, folder, NO_CACHE, "inspect", "stator-tiny-q8_0", "--json")) {
      assertEquals(0, stator.waitForExit(), stator.toString());
      final JsonNode model = new ObjectMapper().readTree(stator.out());
      assertEquals("llama", model.at("/config/architecture").asText());
      assertEquals("", stator.err());
    }
  }

  @Test
  void shouldPassTheExitCodeOnAndTheSentence() throws Exception {
    try (StatorProcess stator = StatorProcess.start(distribution, "serve", "--port", "many")) {
      assertEquals(2, stator.waitForExit());
      assertTrue(stator.err().startsWith("error: Invalid value"), stator.err());
      assertEquals("", stator.out());
    }
  }

  @Test
  void shouldSayWhenTheChosenJavaIsNoJdk25() throws Exception {
    final Map<String, String> environment =
        Map.of("STATOR_CACHE", "off", "STATOR_JAVA_HOME", folder.toString());
    try (StatorProcess stator =
        StatorProcess.start(distribution.launcher(), folder, environment, "version")) {
      assertEquals(1, stator.waitForExit());
      assertEquals("stator: STATOR_JAVA_HOME is not a JDK 25: " + folder + "\n", stator.err());
    }
  }

  @Test
  void shouldRunFromTheArchiveUnpackedAnywhere() throws Exception {
    final Path anywhere = Files.createDirectory(folder.resolve("some where"));
    unpack(distribution.archive(), anywhere);
    final String name = distribution.home().getFileName().toString();
    final Path home = anywhere.resolve(name);
    for (String part :
        new String[] {"LICENSE", "README.md", "config/logback.xml", "models/README.md"}) {
      assertTrue(Files.isRegularFile(home.resolve(part)), part);
    }
    try (StatorProcess stator =
        StatorProcess.start(home.resolve("bin/stator"), folder, NO_CACHE, "version")) {
      assertEquals(0, stator.waitForExit(), stator.toString());
    }
  }

  private static void unpack(Path archive, Path folder) throws IOException, InterruptedException {
    final Process tar =
        new ProcessBuilder("tar", "xzf", archive.toString(), "-C", folder.toString()).start();
    assertEquals(0, tar.waitFor());
  }
}
