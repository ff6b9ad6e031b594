package dev.stator.cli.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProcessMarkTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private Process process;
  private ProcessMark mark;

  @BeforeEach
  void start() throws IOException {
    Assumptions.assumeTrue(
        System.getProperty("os.name").equals("Linux"), "needs the states that /proc tells");
    process = new ProcessBuilder("sleep", "120").start();
    mark = ProcessMark.of(process.pid()).orElseThrow();
  }

  @AfterEach
  void end() {
    if (process != null) process.destroyForcibly();
  }

  @Test
  void shouldTellAHangFromRunningAndFromTheEnd() throws InterruptedException {
    assertEquals(ProcessMark.State.RUNNING, mark.state());
    assertTrue(mark.signal("STOP"));
    await(ProcessMark.State.HUNG);
    assertTrue(mark.isAlive());
    assertTrue(mark.signal("CONT"));
    await(ProcessMark.State.RUNNING);
    assertTrue(mark.signal("KILL"));
    assertTrue(process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
    assertEquals(ProcessMark.State.ENDED, mark.state());
    assertFalse(mark.signal("KILL"));
  }

  @Test
  void shouldNotFindAProcessThatHasEnded() throws InterruptedException {
    process.destroyForcibly();
    assertTrue(process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
    assertTrue(ProcessMark.of(process.pid()).isEmpty());
  }

  private void await(ProcessMark.State state) {
    final long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (mark.state() != state) {
      assertTrue(System.nanoTime() < deadline, "still " + mark.state());
      Thread.onSpinWait();
    }
  }
}
