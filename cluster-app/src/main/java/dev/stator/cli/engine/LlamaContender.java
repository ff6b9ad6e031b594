package dev.stator.cli.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.cli.CommandException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/**
 * llama.cpp by its own measuring programs: {@code llama-bench}, and for several sequences {@code
 * llama-batched-bench} where it lies beside that. Each measurement is a process, on the CPU alone.
 */
final class LlamaContender implements Contender {
  /** The user's word for it. */
  static final String NAME = "llama.cpp";

  private static final String BATCHED_PROGRAM = "llama-batched-bench";
  private static final Duration PROCESS_MAX = Duration.ofMinutes(10);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path program;
  private final Path model;
  private final int threads;
  private final String description;

  /**
   * Runs the program once on one token, so that what is wrong with it is known before anything is
   * measured.
   *
   * @throws CommandException when it fails or prints something else than expected
   */
  LlamaContender(Path program, Path model, int threads, boolean measuresContexts)
      throws InterruptedException {
    this.program = program.toAbsolutePath();
    this.model = model;
    this.threads = threads;
    final List<String> options = new ArrayList<>(List.of("-p", "0", "-n", "1"));
    if (measuresContexts) options.addAll(List.of("-d", "1"));
    final JsonNode probe = result(llamaBench(options), 0, 1, measuresContexts ? 1 : 0);
    description =
        "llama.cpp build %s (%s), %d thread%s"
            .formatted(
                probe.path("build_number").asText("?"),
                probe.path("build_commit").asText("?"),
                threads,
                threads == 1 ? "" : "s");
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return description;
  }

  /** Nothing: each of its processes warms up by itself. */
  @Override
  public void warmUp(EngineCase what) {}

  @Override
  public OptionalDouble tokensPerSecond(EngineCase what) throws InterruptedException {
    return switch (what) {
      case EngineCase.Prefill(var tokens) -> one(tokens, 0, 0);
      case EngineCase.Decode(var sequences, var tokens) ->
          sequences == 1 ? one(0, tokens, 0) : batch(sequences, tokens);
      case EngineCase.DecodeAt(var context, var tokens) -> one(0, tokens, context);
    };
  }

  private OptionalDouble one(int prompt, int generated, int depth) throws InterruptedException {
    final List<String> options = new ArrayList<>();
    options.addAll(List.of("-p", "" + prompt, "-n", "" + generated));
    if (depth > 0) options.addAll(List.of("-d", "" + depth));
    return OptionalDouble.of(
        result(llamaBench(options), prompt, generated, depth).path("avg_ts").asDouble());
  }

  private String llamaBench(List<String> options) throws InterruptedException {
    final List<String> words = new ArrayList<>(List.of(program.toString()));
    words.addAll(List.of("-m", model.toString(), "-t", "" + threads));
    words.addAll(List.of("-r", "1", "-ngl", "0", "-o", "json"));
    words.addAll(options);
    return output(words);
  }

  private JsonNode result(String output, int prompt, int generated, int depth) {
    for (JsonNode each : parsed(program, output)) {
      if (each.path("n_prompt").asInt(-1) == prompt
          && each.path("n_gen").asInt(-1) == generated
          && each.path("n_depth").asInt(0) == depth
          && each.path("avg_ts").asDouble() > 0) {
        return each;
      }
    }
    throw new CommandException(
        "%s printed no result with n_prompt %d, n_gen %d, n_depth %d and avg_ts: '%s'"
            .formatted(program, prompt, generated, depth, shortened(output)));
  }

  private OptionalDouble batch(int sequences, int tokens) throws InterruptedException {
    final Path batched = program.resolveSibling(BATCHED_PROGRAM);
    if (!Files.isExecutable(batched)) return OptionalDouble.empty();
    final int context = sequences * (EngineCase.Decode.CONTEXT + tokens);
    final String output =
        output(
            List.of(
                batched.toString(),
                "-m",
                model.toString(),
                "-c",
                "" + context,
                "-npp",
                "" + EngineCase.Decode.CONTEXT,
                "-ntg",
                "" + tokens,
                "-npl",
                "" + sequences,
                "-t",
                "" + threads,
                "-ngl",
                "0",
                "--output-format",
                "jsonl"));
    for (String line : output.lines().filter(each -> each.startsWith("{")).toList()) {
      final JsonNode each = parsed(batched, line);
      final double speed = each.path("speed_tg").asDouble();
      if (each.path("pl").asInt() == sequences && speed > 0) return OptionalDouble.of(speed);
    }
    throw new CommandException(
        "%s printed no result with pl %d and speed_tg: '%s'"
            .formatted(batched, sequences, shortened(output)));
  }

  private static JsonNode parsed(Path by, String output) {
    try {
      return JSON.readTree(output);
    } catch (JsonProcessingException broken) {
      throw new CommandException(by + " printed no JSON: '" + shortened(output) + "'", broken);
    }
  }

  private static String output(List<String> words) throws InterruptedException {
    try {
      final Path out = Files.createTempFile("stator-bench-", ".out");
      final Path err = Files.createTempFile("stator-bench-", ".err");
      try {
        final Process process =
            new ProcessBuilder(words)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        process.getOutputStream().close();
        requireSuccess(words.getFirst(), process, err);
        return Files.readString(out);
      } finally {
        Files.delete(out);
        Files.delete(err);
      }
    } catch (IOException failure) {
      throw new CommandException(
          words.getFirst() + " cannot be run: " + failure.getMessage(), failure);
    }
  }

  private static void requireSuccess(String program, Process process, Path err)
      throws InterruptedException, IOException {
    try {
      if (!process.waitFor(PROCESS_MAX.toSeconds(), TimeUnit.SECONDS)) {
        throw new CommandException(
            program + " did not end within " + PROCESS_MAX.toMinutes() + " minutes");
      }
    } finally {
      process.destroyForcibly(); // Nothing, where it has ended.
    }
    if (process.exitValue() == 0) return;
    throw new CommandException(
        "%s failed with exit code %d: '%s'"
            .formatted(program, process.exitValue(), shortened(Files.readString(err))));
  }

  /** The end, where programs say what went wrong. */
  private static String shortened(String text) {
    final String line = text.strip().replaceAll("\\s+", " ");
    return line.length() <= 200 ? line : "..." + line.substring(line.length() - 200);
  }

  @Override
  public void close() {}
}
