package dev.stator.cli.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cli.CommandException;
import dev.stator.cli.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkloadTest {
  private static final TokenRatio TWO_TOKENS_A_WORD = new TokenRatio(10, 2);
  private static final PromptGenerator PROMPTS = new PromptGenerator(1, TWO_TOKENS_A_WORD);

  @TempDir private Path folder;

  @Test
  void shouldArriveAtTheRateAsAPoissonProcess() {
    final double rate = 50;
    final long[] arrivals = Arrivals.poisson(rate, Duration.ofSeconds(400).toNanos(), 1 << 20, 3);
    assertEquals(rate * 400, arrivals.length, 3 * Math.sqrt(rate * 400));
    double square = 0;
    for (int i = 1; i < arrivals.length; i++) {
      final double gap = (arrivals[i] - arrivals[i - 1]) / 1e9;
      square += gap * gap;
    }
    // An exponential's second moment is twice its mean squared; an even spacing's would be once.
    assertEquals(2 / (rate * rate), square / arrivals.length, 0.1 / (rate * rate));
  }

  @Test
  void shouldRepeatArrivalsForTheSameSeedAlone() {
    final long second = Duration.ofSeconds(1).toNanos();
    assertArrayEquals(Arrivals.poisson(9, second, 99, 5), Arrivals.poisson(9, second, 99, 5));
    assertNotEquals(Arrivals.poisson(9, second, 99, 5)[0], Arrivals.poisson(9, second, 99, 6)[0]);
  }

  @Test
  void shouldMakePromptsOfTheSizeInTokens() {
    assertEquals(45, PROMPTS.prompt(3, 100, 0).split(" ").length);
    assertEquals(1, PROMPTS.prompt(3, 2, 0).split(" ").length);
  }

  @Test
  void shouldShareThePrefixAndNothingElse() {
    final String[] first = PROMPTS.prompt(0, 100, 40).split(" ");
    final String[] second = PROMPTS.prompt(1, 100, 40).split(" ");
    for (int i = 0; i < 20; i++) assertEquals(first[i], second[i]);
    assertFalse(List.of(first).subList(20, 45).equals(List.of(second).subList(20, 45)));
    assertEquals(PROMPTS.prompt(0, 100, 40), PROMPTS.prompt(0, 100, 40));
  }

  @Test
  void shouldMeasureTokensPerWordFromTwoPrompts() {
    final TokenRatio ratio = TokenRatio.through(24, 58, 96, 202);
    assertEquals(new TokenRatio(10, 2), ratio);
    assertEquals(TokenRatio.UNKNOWN, TokenRatio.through(24, 5, 96, 5));
  }

  @Test
  void shouldEndAClosedLoopWhenItsTimeIsOver() {
    final BenchSettings settings = settings(null, null, Duration.ofSeconds(2), null);
    final long[] now = {0};
    final var requests = Workload.of(settings, PROMPTS, () -> now[0]).requests();
    requests.next();
    assertTrue(requests.hasNext());
    requests.next();
    now[0] = Duration.ofSeconds(2).toNanos();
    assertFalse(requests.hasNext());
  }

  @Test
  void shouldReplayATraceWithItsPrefixesAndSpreadItsTicks() throws IOException {
    final Path trace =
        trace(
            "{\"timestamp\":3000,\"input_length\":1024,\"output_length\":7,\"hash_ids\":[0,1]}",
            "{\"timestamp\":3000,\"input_length\":1300,\"output_length\":9,\"hash_ids\":[0,2,3]}",
            "{\"timestamp\":7000,\"input_length\":40,\"output_length\":1,\"hash_ids\":[4]}");
    final List<PlannedRequest> requests = new ArrayList<>();
    Workload.of(settings(null, null, null, trace), PROMPTS, () -> 0)
        .requests()
        .forEachRemaining(requests::add);
    assertEquals(
        List.of(0L, 2000L, 4000L),
        requests.stream().map(request -> request.arrivalNs() / 1_000_000).toList());
    final String[] first = requests.get(0).prompt().split(" ");
    final String[] second = requests.get(1).prompt().split(" ");
    assertEquals(507, first.length);
    assertEquals(645, second.length);
    assertEquals(List.of(first).subList(0, 256), List.of(second).subList(0, 256));
    assertFalse(List.of(first).subList(256, 500).equals(List.of(second).subList(256, 500)));
    assertEquals(9, requests.get(1).outputTokens());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "{\"timestamp\":1}",
        "{\"timestamp\":1,\"input_length\":-1,\"output_length\":1}"
      })
  void shouldNameTheLineThatIsNoTraceEntry(String line) throws IOException {
    final Path trace = trace("{\"timestamp\":0,\"input_length\":1,\"output_length\":1}", line);
    final CommandException failure =
        assertThrows(CommandException.class, () -> Trace.read(trace, 100));
    assertTrue(failure.getMessage().contains("line 2"), failure.getMessage());
  }

  @Test
  void shouldFillInHowLongARunIs() {
    assertEquals(100, settings(null, null, null, null).requests());
    assertEquals(Duration.ofSeconds(30), settings(2.0, null, null, null).duration());
    assertEquals(null, settings(2.0, 5, null, null).duration());
  }

  @Test
  void shouldRefuseARateBesideATrace() {
    final Path trace = folder.resolve("trace");
    assertThrows(UsageException.class, () -> settings(2.0, null, null, trace));
  }

  @Test
  void shouldReadGoodputTargets() {
    assertEquals(
        new GoodputTargets(Duration.ofMillis(200), null, Duration.ofSeconds(2)),
        GoodputTargets.parse("ttft=200ms, e2e=2s"));
    assertThrows(UsageException.class, () -> GoodputTargets.parse("tpot=3ms"));
    assertThrows(UsageException.class, () -> GoodputTargets.parse("ttft"));
  }

  private Path trace(String... lines) throws IOException {
    return Files.write(folder.resolve("trace.jsonl"), List.of(lines));
  }

  private static BenchSettings settings(
      Double rate, Integer requests, Duration duration, Path trace) {
    return new BenchSettings(
        true,
        64,
        16,
        0,
        2,
        rate,
        requests,
        duration,
        100,
        0,
        1,
        0,
        false,
        Duration.ofMinutes(1),
        GoodputTargets.NONE,
        trace,
        1,
        1);
  }
}
