package dev.stator.cli.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import dev.stator.cli.EngineOptions;
import dev.stator.cli.UsageException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ClusterPlannerTest {
  @TempDir private Path home;
  private CliContext context;

  @BeforeEach
  void makeHome() throws IOException {
    Files.createDirectories(home.resolve("models"));
    Files.createFile(home.resolve("models/stator-tiny-q8_0.gguf"));
    context =
        new CliContext(
            settings -> {
              throw new AssertionError("starts no node in this process");
            },
            Optional.of(home),
            Map.of("XDG_STATE_HOME", home.resolve("state").toString()),
            new BufferedReader(new StringReader("")),
            null);
  }

  @Test
  void shouldNameNodesByTheirRoles() {
    assertEquals(
        List.of("frontend-1", "prefill-1", "prefill-2", "decode-1"),
        plan(2, 1, 1, 0).nodes().stream().map(NodePlan::name).toList());
  }

  @Test
  void shouldLetDecodeNodesPrefillWhenNobodyElseDoes() {
    assertEquals("prefill,decode", plan(0, 1, 1, 0).node("decode-1").role());
    assertEquals("decode", plan(1, 1, 1, 0).node("decode-1").role());
  }

  @Test
  void shouldLetEveryNodeKnowAllOthers() {
    final ClusterPlan plan = plan(1, 2, 1, 0);
    final String all = String.join(",", plan.contacts());
    assertEquals(4, new HashSet<>(plan.contacts()).size());
    assertEquals(
        List.of("seed", "--peers", all), plan.nodes().getFirst().arguments().subList(0, 3));
    for (NodePlan node : plan.nodes().subList(1, 4)) {
      assertEquals(List.of("join", all), node.arguments().subList(0, 2));
    }
  }

  @Test
  void shouldWaitForNobodyWhenTheClusterBegins() {
    final NodePlan first = plan(1, 1, 1, 0).nodes().getFirst();
    assertEquals(List.of("seed", "--role", "frontend"), first.alone().arguments().subList(0, 3));
    final NodePlan other = plan(1, 1, 1, 0).node("decode-1");
    assertEquals(other.arguments(), other.alone().arguments());
  }

  @Test
  void shouldShareProcessorsAndMemory() {
    final List<String> words = plan(2, 2, 1, 0).node("decode-2").arguments();
    assertEquals(
        Integer.toString(Math.max(1, Runtime.getRuntime().availableProcessors() / 4)),
        after("--threads", words));
    final long kvBytes = Long.parseLong(after("--kv-memory", words));
    assertTrue(kvBytes > 0 && kvBytes <= Runtime.getRuntime().maxMemory() / 4, words.toString());
  }

  @Test
  void shouldNumberTheEnginesThatShareTheGpus() {
    final ClusterPlan plan = plan(2, 2, 2, 0);
    final List<String> firsts =
        List.of("prefill-1", "prefill-2", "decode-1", "decode-2").stream()
            .flatMap(name -> plan.node(name).arguments().stream())
            .filter(word -> word.startsWith("-Dstator.device.cuda.first-engine="))
            .map(word -> word.substring(word.indexOf('=') + 1))
            .toList();
    assertEquals(List.of("0", "1", "2", "3"), firsts);
    final String all = "-Dstator.device.cuda.machine-engines=4";
    assertTrue(plan.node("decode-2").arguments().contains(all));
  }

  @Test
  void shouldTakeTheUsersWordForIt() {
    final List<String> words =
        plan(1, 1, 1, 0, "--threads", "3", "--kv-blocks", "64", "-Da.b=c d")
            .node("decode-1")
            .arguments();
    assertEquals("3", after("--threads", words));
    assertEquals("64", after("--kv-blocks", words));
    assertFalse(words.contains("--kv-memory"), words.toString());
    assertTrue(words.contains("-Da.b=c d"), words.toString());
  }

  @Test
  void shouldGiveFrontendsPortsInARow() throws IOException {
    final int port = Ports.free("127.0.0.1", 1, new SplittableRandom(7)).getFirst();
    final ClusterPlan plan = plan(1, 1, 2, port);
    assertEquals(Integer.toString(port), after("--port", plan.node("frontend-1").arguments()));
    assertEquals(Integer.toString(port + 1), after("--port", plan.node("frontend-2").arguments()));
  }

  @Test
  void shouldSayThatAPortIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      final CommandException failure =
          assertThrows(CommandException.class, () -> plan(1, 1, 1, taken.getLocalPort()));
      assertEquals(
          "port %d of 127.0.0.1 is in use; choose another --port".formatted(taken.getLocalPort()),
          failure.getMessage());
    }
  }

  @Test
  void shouldRefuseClustersThatCannotServe() {
    assertThrows(UsageException.class, () -> plan(1, 0, 1, 0));
    assertThrows(UsageException.class, () -> plan(1, 1, 0, 0));
    assertThrows(UsageException.class, () -> plan(-1, 1, 1, 0));
    assertThrows(UsageException.class, () -> plan(1, 1, 2, 65_535));
  }

  @Test
  void shouldLetAFrontendHaveTheLastPort() {
    final NodePlan last = plan(1, 1, 1, 65_535).node("frontend-1");
    assertEquals("65535", after("--port", last.arguments()));
  }

  private ClusterPlan plan(int prefill, int decode, int frontend, int port, String... options) {
    final EngineOptions engine = new EngineOptions();
    new CommandLine(engine).parseArgs(options);
    return new ClusterPlanner(
            context,
            ClusterFolder.of(context.environment(), "test"),
            new ClusterPlanner.Wanted(
                prefill, decode, frontend, 1, "127.0.0.1", port, null, null, engine),
            new SplittableRandom(1))
        .plan();
  }

  private static String after(String option, List<String> words) {
    return words.get(words.indexOf(option) + 1);
  }
}
