package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
  private static final Path BUNDLED =
      Path.of(
          System.getProperty("stator.root"),
          "gpu-runtime/models/stator-tiny/stator-tiny-q8_0.gguf");

  @TempDir private Path folder;

  @Test
  void shouldDescribeTheBundledModel() {
    final CliRun run = run("inspect", BUNDLED.toString());
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("architecture  llama"), run.out());
    // 2 x 6 layers x 2 heads x 64 values, or 68 bytes.
    assertTrue(
        run.out()
            .contains("KV cache      6.0 KiB a token in f32, 3.0 KiB in bf16, 1.6 KiB in int8"),
        run.out());
  }

  @Test
  void shouldListTensorsWhoseBytesAreTheWeights() throws IOException {
    final CliRun run = run("inspect", BUNDLED.toString(), "--json", "--tensors");
    final JsonNode model = new ObjectMapper().readTree(run.out());
    long bytes = 0;
    long values = 0;
    for (JsonNode tensor : model.get("tensors")) {
      bytes += tensor.get("bytes").asLong();
      values += tensor.get("rows").asLong() * tensor.get("columns").asLong();
    }
    assertEquals(model.get("weight_bytes").asLong(), bytes);
    assertEquals(model.get("parameter_count").asLong(), values);
    assertEquals("none", model.at("/config/rope_scaling/type").asText());
    assertEquals("interleaved", model.at("/config/rope_layout").asText());
  }

  @Test
  void shouldSayInOneSentenceWhatIsWrongWithAFile() throws IOException {
    final Path broken = Files.writeString(folder.resolve("broken.gguf"), "GGUF, but not for long");
    final CliRun run = run("inspect", broken.toString());
    assertEquals(1, run.exitCode());
    assertTrue(run.err().startsWith("error: the model cannot be used: "), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  private static CliRun run(String... arguments) {
    return CliRun.of(
        settings -> {
          throw new AssertionError("inspect starts nothing");
        },
        null,
        "",
        arguments);
  }
}
