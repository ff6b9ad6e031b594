package dev.stator.cli.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnedCommandTest {
  private static final long PATIENCE_S = 30;

  /** A shell that waits for a child, and writes to a file which that is. */
  private static final String WAITING = "sleep 600 & echo $! >\"$0\"; wait $!";

  @TempDir private Path folder;
  private final Hooks hooks = new Hooks();

  /** This process's end, without ending it. */
  private static final class Hooks implements OwnedCommand.AtEnd {
    final BlockingQueue<Thread> added = new LinkedBlockingQueue<>();
    final List<Thread> removed = new ArrayList<>();

    @Override
    public void add(Thread hook) {
      added.add(hook);
    }

    @Override
    public void remove(Thread hook) {
      removed.add(hook);
    }
  }

  @Test
  void shouldAnswerTheExitCodeAndForgetTheCommandWhenItEnds() throws Exception {
    assertEquals(3, OwnedCommand.run(new ProcessBuilder("sh", "-c", "exit 3"), hooks));
    assertEquals(List.copyOf(hooks.added), hooks.removed);
  }

  @Test
  void shouldEndTheCommandAndItsChildrenWhenThisProcessEnds() throws Exception {
    final Path childFile = folder.resolve("child");
    final ProcessBuilder builder = new ProcessBuilder("sh", "-c", WAITING, childFile.toString());
    final CompletableFuture<Integer> exitCode =
        CompletableFuture.supplyAsync(() -> {
          try {
            return OwnedCommand.run(builder, hooks);
          } catch (Exception failure) {
            throw new AssertionError(failure);
          }
        });
    final Thread hook = hooks.added.poll(PATIENCE_S, TimeUnit.SECONDS);
    final ProcessHandle child = child(childFile);
    hook.start();
    assertNotEquals(0, exitCode.get(PATIENCE_S, TimeUnit.SECONDS));
    child.onExit().get(PATIENCE_S, TimeUnit.SECONDS);
  }

  private static ProcessHandle child(Path file) throws Exception {
    final long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
    while (!Files.exists(file) || !Files.readString(file).endsWith("\n")) {
      assertTrue(System.nanoTime() < deadlineNs, "the command does not start");
      Thread.onSpinWait();
    }
    return ProcessHandle.of(Long.parseLong(Files.readString(file).strip())).orElseThrow();
  }
}
