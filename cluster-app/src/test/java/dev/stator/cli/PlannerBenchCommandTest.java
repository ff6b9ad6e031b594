package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlannerBenchCommandTest {
  private static final String[] SHORT = {
    "--slots", "3", "--phase", "30s:4:2000:20", "--phase", "30s:4:200:100", "--duration", "1m"
  };

  @TempDir private Path home;

  @Test
  void shouldCompareThePlannerWithEveryFixedSplit() {
    final CliRun run = bench(SHORT);
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().startsWith("simulated: 3 slots, 60 s of load"), run.out());
    for (String row : List.of("1P2D ", "2P1D ", "planner ", "planner / best fixed (")) {
      assertTrue(run.out().lines().anyMatch(line -> line.startsWith(row)), run.out());
    }
  }

  @Test
  void shouldWriteEveryRoundAsJson() throws IOException {
    final Path file = home.resolve("planner.json");
    final CliRun run =
        bench(
            "--rounds",
            "2",
            "--seed",
            "5",
            "--json",
            file.toString(),
            "--slots",
            "2",
            "--phase",
            "10s:4:500:20",
            "--duration",
            "20s");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("2 rounds: median"), run.out());
    final JsonNode json = new ObjectMapper().readTree(Files.readString(file));
    assertEquals(6, json.at("/rounds/1/seed").asInt());
    assertEquals("1P1D", json.at("/rounds/1/fixed/0/split").asText());
    final JsonNode planned = json.at("/rounds/1/planned");
    assertTrue(planned.path("goodput").asDouble() > 0, json::toPrettyString);
    assertEquals(1, planned.path("phases_met").size());
  }

  @Test
  void shouldMeasureLessWhenTargetsAreTighter() {
    final String loose = bench(SHORT).out();
    final List<String> tight = new ArrayList<>(List.of(SHORT));
    tight.addAll(List.of("--goodput", "ttft=1ms,itl=1ms"));
    final String out = bench(tight.toArray(String[]::new)).out();
    assertTrue(out.contains("TTFT <= 1 ms, ITL <= 1 ms"), out);
    assertTrue(row(out).contains(" 0.00 ") && !row(loose).contains(" 0.00 "), out + loose);
  }

  @Test
  void shouldSayWhatIsWrongWithAnOption() {
    final List<List<String>> wrong =
        List.of(
            List.of("--phase", "20s:5:100"),
            List.of("--phase", "20s:0:100:5"),
            List.of("--slots", "1"),
            List.of("--goodput", "ttft=1s"),
            List.of("--rounds", "0"),
            List.of("some-model.gguf"));
    for (List<String> arguments : wrong) {
      final CliRun run = bench(arguments.toArray(String[]::new));
      assertEquals(2, run.exitCode(), arguments + run.err());
      assertTrue(run.err().startsWith("error: "), run.err());
    }
  }

  private static String row(String table) {
    return table.lines().filter(line -> line.startsWith("planner  ")).findFirst().orElseThrow();
  }

  private CliRun bench(String... arguments) {
    return CliRun.ofBench("planner", home, arguments);
  }
}
