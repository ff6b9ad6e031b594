package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.model.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelBenchCommandTest {
  @TempDir private Path home;

  @Test
  void shouldMeasureEveryFamilyWithEveryNumberOfTokens() throws IOException {
    final Path file = home.resolve("kernels.json");
    final CliRun run =
        bench("--type", "q8_0", "--shape", "64x256", "--rounds", "2", "--json", file.toString());
    assertEquals(0, run.exitCode(), run.err());
    final JsonNode figures = new ObjectMapper().readTree(Files.readString(file)).path("figures");
    final Map<String, List<Integer>> tokens = new HashMap<>();
    for (JsonNode each : figures) {
      tokens
          .computeIfAbsent(each.path("family").asText(), family -> new ArrayList<>())
          .add(each.path("tokens").asInt());
    }
    assertTrue(tokens.containsKey("vector"), tokens::toString);
    tokens.forEach((family, measured) -> {
      assertEquals(List.of(1, 8, 32, 512), measured, family);
      assertTrue(run.out().contains(family), run.out());
    });
    for (JsonNode each : figures) {
      assertTrue(each.path("packed_bytes").asLong() >= WeightType.Q8_0.byteSize(64 * 256));
      assertTrue(each.path("gigaflops_per_second").asDouble() > 0, each::toString);
      assertTrue(each.path("of_read_low").asDouble() <= each.path("of_read_high").asDouble());
    }
  }

  @Test
  void shouldSayWhatIsWrongWithAnOption() {
    final List<List<String>> wrong =
        List.of(
            List.of("--type", "Q9_9"),
            List.of("--shape", "64"),
            List.of("--shape", "64x100", "--type", "Q4_K"),
            List.of("--shape", "0x256"),
            List.of("--threads", "0"),
            List.of("--rounds", "0"));
    for (List<String> arguments : wrong) {
      final CliRun run = bench(arguments.toArray(String[]::new));
      assertEquals(2, run.exitCode(), arguments + run.err());
      assertTrue(run.err().startsWith("error: "), run.err());
    }
  }

  private CliRun bench(String... arguments) {
    return CliRun.ofBench("kernels", home, arguments);
  }
}
