package dev.stator.router;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.protocol.WorkerId;
import dev.stator.worker.RouterStats;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RebuildClockTest {
  private static final WorkerId A = new WorkerId("a/0", 1);
  private static final WorkerId B = new WorkerId("b/0", 1);
  private static final WorkerId LATE = new WorkerId("c/0", 1);

  private final AtomicLong nowNs = new AtomicLong(500);
  private final PrefixIndex index = new PrefixIndex();
  private final RebuildClock clock = new RebuildClock(nowNs::get);

  @Test
  void shouldStopWhenTheLastDumpIsIn() {
    index.follow(A);
    index.follow(B);
    index.applyDump(A, 0, 0, true, List.of());
    index.applyDump(B, 0, 0, false, List.of());
    nowNs.set(1_500);
    clock.look(List.of(A, B), index::waitsForDump);
    assertEquals(RouterStats.REBUILDING, clock.ns());
    index.applyDump(B, 0, 1, true, List.of());
    nowNs.set(2_500);
    clock.look(List.of(A, B), index::waitsForDump);
    assertEquals(2_000, clock.ns());
  }

  @Test
  void shouldRunWhileThereAreNoWorkers() {
    clock.look(List.of(), index::waitsForDump);
    assertEquals(RouterStats.REBUILDING, clock.ns());
  }

  @Test
  void shouldNotCountWorkersThatComeLater() {
    index.follow(A);
    index.applyDump(A, 0, 0, true, List.of());
    clock.look(List.of(A), index::waitsForDump);
    index.follow(LATE);
    nowNs.set(9_000);
    clock.look(List.of(A, LATE), index::waitsForDump);
    assertEquals(0, clock.ns());
  }
}
