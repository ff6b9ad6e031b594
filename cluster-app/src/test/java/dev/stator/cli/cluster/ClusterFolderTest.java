package dev.stator.cli.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cli.CommandException;
import dev.stator.cli.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterFolderTest {
  private static final NodePlan DECODE =
      new NodePlan("decode-1", "decode", false, List.of("join", "a:1", "--role", "decode"));
  private static final NodePlan FRONTEND =
      new NodePlan("frontend-1", "frontend", true, List.of("seed", "--name", "with \"quotes\""));
  private static final ClusterPlan PLAN =
      new ClusterPlan("one", List.of("-Xmx1g"), List.of("a:1", "b:2"), List.of(FRONTEND, DECODE));

  @TempDir private Path state;

  @Test
  void shouldRememberThePlanAsItWas() {
    folder("one").begin(PLAN);
    assertEquals(PLAN, folder("one").plan());
  }

  @Test
  void shouldSayWhichNodesThereAreWhenOneIsUnknown() {
    final CommandException failure =
        assertThrows(CommandException.class, () -> PLAN.node("decode-9"));
    assertEquals(
        "no node 'decode-9' in cluster 'one'; there are frontend-1, decode-1",
        failure.getMessage());
  }

  @Test
  void shouldSayHowToBeginWhenThereIsNoSuchCluster() {
    final CommandException failure =
        assertThrows(CommandException.class, () -> folder("none").plan());
    assertEquals(
        "there is no cluster 'none' on this machine; 'stator cluster up --name none' starts one",
        failure.getMessage());
  }

  @Test
  void shouldMeanTheOnlyClusterWhenNoneIsNamed() {
    assertEquals("local", ClusterFolder.meant(environment(), null).name());
    folder("one").begin(PLAN);
    assertEquals("one", ClusterFolder.meant(environment(), null).name());
    folder("two").begin(PLAN);
    assertEquals("local", ClusterFolder.meant(environment(), null).name());
    assertEquals("two", ClusterFolder.meant(environment(), "two").name());
  }

  @Test
  void shouldLieBelowTheHomeFolderWithoutAStateFolder() {
    final Path home = state.resolve("home");
    assertEquals(
        home.resolve(".local/state/stator/clusters/a"),
        ClusterFolder.of(Map.of("HOME", home.toString()), "a").path());
  }

  @Test
  void shouldRefuseNamesThatAreNoFolders() {
    for (String name : List.of("", "../up", "a/b", ".hidden", "x".repeat(64))) {
      assertThrows(UsageException.class, () -> ClusterFolder.of(environment(), name), name);
    }
  }

  @Test
  void shouldBeUpAsLongAsAProcessLives() throws IOException {
    final ClusterFolder folder = folder("one");
    assertFalse(folder.isUp());
    folder.begin(PLAN);
    assertFalse(folder.isUp());
    folder.remember("decode-1", ProcessMark.of(ProcessHandle.current().pid()).orElseThrow());
    assertTrue(folder.isUp());
    assertEquals(ProcessMark.State.RUNNING, folder.state("decode-1"));
  }

  @Test
  void shouldNeverTakeAnotherProcessOfTheSameNumberForItsOwn() throws IOException {
    final ClusterFolder folder = folder("one");
    folder.begin(PLAN);
    folder.remember("decode-1", new ProcessMark(ProcessHandle.current().pid(), "another start"));
    assertEquals(ProcessMark.State.ENDED, folder.state("decode-1"));
    assertFalse(folder.process("decode-1").orElseThrow().signal("KILL"));
    assertFalse(folder.isUp());
  }

  @Test
  void shouldNotBelieveWhatAnEarlierLifeWrote() throws IOException {
    final ClusterFolder folder = folder("one");
    folder.begin(PLAN);
    final ProcessMark self = ProcessMark.of(ProcessHandle.current().pid()).orElseThrow();
    folder.remember("decode-1", self);
    assertEquals(Optional.empty(), folder.served("decode-1"));
    writeState(folder, self.pid());
    assertEquals("h:1", folder.served("decode-1").orElseThrow().cluster());
    folder.remember("decode-1", new ProcessMark(self.pid() + 1, "later"));
    writeState(folder, self.pid());
    assertEquals(Optional.empty(), folder.served("decode-1"));
  }

  @Test
  void shouldForgetTheFormerClusterOfItsName() throws IOException {
    final ClusterFolder folder = folder("one");
    folder.begin(PLAN);
    Files.writeString(folder.log("decode-1"), "old words");
    folder.begin(new ClusterPlan("one", List.of(), List.of("a:1"), List.of(FRONTEND)));
    assertFalse(Files.exists(folder.log("decode-1")));
    assertEquals(List.of(FRONTEND), folder.plan().nodes());
  }

  @Test
  void shouldBeChangedByOneCommandAtATime() {
    final ClusterFolder folder = folder("one");
    try (ClusterFolder.Lock _ = folder.lock()) {
      assertThrows(CommandException.class, folder::lock);
    }
    folder.lock().close();
  }

  private static void writeState(ClusterFolder folder, long pid) throws IOException {
    Files.writeString(
        folder.stateFile("decode-1"),
        "{\"pid\":%d,\"http\":\"http://h:2\",\"cluster\":\"h:1\"}".formatted(pid));
  }

  private ClusterFolder folder(String name) {
    return ClusterFolder.of(environment(), name);
  }

  private Map<String, String> environment() {
    return Map.of("XDG_STATE_HOME", state.toString());
  }
}
