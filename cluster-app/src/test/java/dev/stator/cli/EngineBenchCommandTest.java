package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class EngineBenchCommandTest {
  private static final String MODEL =
      Path.of(System.getProperty("stator.root"))
          .resolve("gpu-runtime/models/stator-tiny/stator-tiny-q8_0.gguf")
          .toString();

  /** What llama-bench prints, with the numbers that it was asked for. */
  private static final String LLAMA_BENCH =
      """
      #!/bin/sh
      d=0
      while [ $# -gt 1 ]; do
        case $1 in -p) p=$2;; -n) n=$2;; -d) d=$2;; -t) t=$2;; esac
        shift 2
      done
      cat <<END
      [ { "build_commit": "c0ffee1", "build_number": 7000, "n_threads": $t, "n_prompt": $p,
          "n_gen": $n, "n_depth": $d, "avg_ns": 1000000, "stddev_ns": 0, "avg_ts": 0.5 } ]
      END
      """;

  private static final String LLAMA_BATCHED_BENCH =
      """
      #!/bin/sh
      echo 'main: n_kv_max = 64'
      echo '{"n_kv_max": 64, "pp": 32, "tg": 4, "pl": 2, "n_kv": 72, "t_tg": 5.3, "speed_tg": 1.5}'
      """;

  private static final String[] SHORT = {
    "--threads", "1", "--prefill", "20", "--decode", "4", "--batches", "1,2", "--rounds", "2"
  };

  @TempDir private Path home;

  @Test
  void shouldCompareKernelFamilies() throws IOException {
    final Path file = home.resolve("engine.json");
    final CliRun run =
        bench("--kernels", "auto,scalar", "--contexts", "8,40", "--json", file.toString(), MODEL);
    assertEquals(0, run.exitCode(), run.err());
    final JsonNode json = new ObjectMapper().readTree(Files.readString(file));
    assertEquals("scalar", json.path("compared_with").asText());
    final List<String> figures = new ArrayList<>();
    for (JsonNode each : json.path("figures")) {
      figures.add(each.path("what").asText() + " " + each.path("name").asText());
      assertTrue(each.path("tokens_per_second").asDouble() > 0, each::toString);
    }
    assertEquals(
        List.of(
            "prefill of 20 auto",
            "prefill of 20 scalar",
            "decode auto",
            "decode scalar",
            "decode of 2 auto",
            "decode of 2 scalar",
            "decode at 8 auto",
            "decode at 8 scalar",
            "decode at 40 auto",
            "decode at 40 scalar"),
        figures);
    assertTrue(json.at("/context_costs/0/times/median").asDouble() > 0, json::toPrettyString);
    assertTrue(
        run.out().contains("scalar     CPU, scalar kernels, 1 thread; loaded in"), run.out());
  }

  @Test
  void shouldCompareKvTypes() {
    final CliRun run =
        bench("--kernels", "scalar", "--kv-types", "f32,int8", "--contexts", "0", MODEL);
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("/ scalar+int8 (worst..best round)"), run.out());
    assertTrue(
        run.out().contains("scalar     CPU, scalar kernels, 1 thread; loaded in"), run.out());
    assertTrue(run.out().contains("scalar+int8 CPU, scalar kernels, 1 thread; loaded"), run.out());
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void shouldCompareWithLlamaCpp() throws IOException {
    program("llama-batched-bench", LLAMA_BATCHED_BENCH);
    final CliRun run = benchAgainst(program("llama-bench", LLAMA_BENCH), "--contexts", "8,40");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(
        run.out().contains("llama.cpp  llama.cpp build 7000 (c0ffee1), 1 thread"), run.out());
    for (String what : List.of("prefill of 20", "decode", "decode at 8", "decode at 40")) {
      assertEquals("0.5", figure(run.out(), what), run.out());
    }
    assertEquals("1.5", figure(run.out(), "decode of 2"), run.out());
    assertTrue(run.out().contains("1.00x (1.00..1.00)"), "the time of a token in both contexts");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void shouldSayThatBatchesAreNotMeasuredWhenTheirProgramIsMissing() throws IOException {
    final CliRun run = benchAgainst(program("llama-bench", LLAMA_BENCH), "--contexts", "0");
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("not measured", figure(run.out(), "decode of 2"), run.out());
    assertEquals("0.5", figure(run.out(), "decode"), run.out());
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void shouldMeasureNothingWhenLlamaCppFails() throws IOException {
    final Path failing = program("llama-bench", "#!/bin/sh\necho 'no such model' >&2\nexit 3\n");
    final CliRun run = benchAgainst(failing, "--contexts", "0");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("failed with exit code 3: 'no such model'"), run.err());
    assertFalse(run.err().contains("round 1"), run.err());
    final CliRun wordy =
        benchAgainst(program("llama-bench", "#!/bin/sh\necho hello\n"), "--contexts", "0");
    assertTrue(wordy.err().contains("printed no JSON: 'hello'"), wordy.err());
    final CliRun empty =
        benchAgainst(program("llama-bench", "#!/bin/sh\necho '[]'\n"), "--contexts", "0");
    assertTrue(empty.err().contains("printed no result with n_prompt 0, n_gen 1"), empty.err());
  }

  @Test
  void shouldSayWhatIsWrongWithAnOption() {
    final List<List<String>> wrong =
        List.of(
            List.of("--against", home.resolve("nothing").toString()),
            List.of("--kernels", "fast"),
            List.of("--kernels", "java,java"),
            List.of("--kv-types", "fp8"),
            List.of("--kv-types", "f32,f32"),
            List.of("--threads", "0"),
            List.of("--decode", "0"),
            List.of("--rounds", "0"),
            List.of("--batches", "-1"),
            List.of("--prefill", "0", "--batches", "0", "--contexts", "0"));
    for (List<String> arguments : wrong) {
      final CliRun run = CliRun.ofBench("engine", home, arguments.toArray(String[]::new));
      assertEquals(2, run.exitCode(), arguments + run.err());
      assertTrue(run.err().startsWith("error: "), run.err());
    }
    final CliRun tooLong = bench("--contexts", "60000", MODEL);
    assertEquals(1, tooLong.exitCode());
    assertTrue(tooLong.err().contains("this model's context length is 2048"), tooLong.err());
  }

  /** The tokens a second of llama.cpp. */
  private static String figure(String table, String what) {
    return table
        .lines()
        .filter(line -> line.startsWith("  " + what + "  ") && line.contains("llama.cpp"))
        .map(line -> line.substring(line.indexOf("llama.cpp") + "llama.cpp".length()).strip())
        .findFirst()
        .orElseThrow();
  }

  private Path program(String name, String text) throws IOException {
    final Path program = Files.writeString(home.resolve(name), text);
    assertTrue(program.toFile().setExecutable(true));
    return program;
  }

  private CliRun benchAgainst(Path program, String... arguments) {
    final List<String> words =
        new ArrayList<>(List.of("--kernels", "auto", "--against", program.toString(), MODEL));
    words.addAll(List.of(arguments));
    return bench(words.toArray(String[]::new));
  }

  private CliRun bench(String... arguments) {
    final List<String> words = new ArrayList<>(List.of(SHORT));
    words.addAll(List.of(arguments));
    return CliRun.ofBench("engine", home, words.toArray(String[]::new));
  }
}
