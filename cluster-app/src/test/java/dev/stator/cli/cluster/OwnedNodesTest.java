package dev.stator.cli.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher starts processes that sleep, and never serve. */
class OwnedNodesTest {
  private static final Duration PATIENCE = Duration.ofMillis(200);
  private static final ClusterPlan PLAN =
      new ClusterPlan("test", List.of(), List.of("127.0.0.1:1"), List.of(node("a"), node("b")));

  @TempDir private Path home;
  private final AtomicInteger endings = new AtomicInteger();
  private ClusterFolder folder;
  private NodeProcesses processes;
  private OwnedNodes nodes;

  private static NodePlan node(String name) {
    return new NodePlan(name, "decode", false, List.of("join", "127.0.0.1:1"));
  }

  @BeforeEach
  void begin() throws IOException {
    final Path launcher = home.resolve("bin/stator");
    Files.createDirectories(launcher.getParent());
    Files.writeString(launcher, "#!/bin/sh\nexec sleep 120\n");
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwx------"));
    final CliContext context =
        new CliContext(
            settings -> {
              throw new AssertionError("starts no node in this process");
            },
            Optional.of(home),
            Map.of("XDG_STATE_HOME", home.resolve("state").toString()),
            new BufferedReader(new StringReader("")),
            null);
    folder = ClusterFolder.of(context.environment(), "test");
    folder.begin(PLAN);
    processes = new NodeProcesses(context, folder);
    nodes = new OwnedNodes(folder, PLAN, endings::incrementAndGet);
  }

  @AfterEach
  void endAll() throws InterruptedException {
    nodes.close();
    new LocalNodes(folder).killAll(PLAN.nodes());
  }

  @Test
  void shouldEndWithTheirOwner() {
    startInVain();
    assertEquals(2, living());
    nodes.close();
    nodes.close();
    assertEquals(0, living());
    assertEquals(1, endings.get());
  }

  @Test
  void shouldNotBeStartedOnceTheEndHasBegun() {
    nodes.close();
    final var refusal = assertThrows(CommandException.class, this::start);
    assertEquals("interrupted", refusal.getMessage());
    assertTrue(PLAN.nodes().stream().allMatch(node -> folder.process(node.name()).isEmpty()));
    assertThrows(CommandException.class, nodes::release);
  }

  @Test
  void shouldOutliveTheirOwnerWhenTheyAreReleased() {
    startInVain();
    nodes.release();
    nodes.close();
    assertEquals(2, living());
    assertEquals(0, endings.get());
  }

  private void startInVain() {
    final var late = assertThrows(CommandException.class, this::start);
    assertTrue(late.getMessage().startsWith("not ready within"), late.getMessage());
  }

  private void start() throws InterruptedException {
    final var unheard = new PrintWriter(new StringWriter());
    nodes.start(processes, new StartWatch(folder, unheard, PATIENCE));
  }

  private long living() {
    return Stream.of("a", "b")
        .filter(name -> folder.state(name) == ProcessMark.State.RUNNING)
        .count();
  }
}
