package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.cpu.BackgroundPacking.Plan;
import dev.stator.device.cpu.CpuDeviceSettings.Kernels;
import dev.stator.device.cpu.CpuDeviceSettings.Pack;
import dev.stator.device.cpu.PackedWeights.Task;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BackgroundPackingTest {
  private static final int WORKERS = 3;
  private static final long PANEL_BYTES = 1000;
  private static final Duration AT_ONCE = Duration.ZERO;
  private static final Duration NEVER = Duration.ofDays(1);

  private final AtomicInteger packed = new AtomicInteger();
  private final AtomicInteger ends = new AtomicInteger();

  private static BackgroundPacking packing(
      Runnable whenDone, int threads, Duration stepWait, List<Task> tasks) {
    return new BackgroundPacking(
        tasks,
        whenDone,
        new Plan(0, threads, stepWait),
        BackgroundPacking.panels(WORKERS, PANEL_BYTES));
  }

  @Test
  void shouldPackEachPieceOnceAndThenEnd() throws InterruptedException {
    final CountDownLatch end = new CountDownLatch(1);
    final List<Integer> order = Collections.synchronizedList(new ArrayList<>());
    final List<Task> tasks = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      final int number = i;
      tasks.add(new Task(worker -> order.add(number), 1));
    }
    final Runnable whenDone =
        () -> {
          assertEquals(500, order.size());
          ends.incrementAndGet();
          end.countDown();
        };
    try (var packing = packing(whenDone, 4, AT_ONCE, tasks)) {
      packing.start();
      assertTrue(end.await(30, TimeUnit.SECONDS));
    }
    assertEquals(1, ends.get());
    assertEquals(500, order.stream().distinct().count());
  }

  @Test
  void shouldBeDoneBehindTheLastPieceOnly() {
    final var task = new Task(worker -> packed.incrementAndGet(), 1);
    final List<Task> tasks = List.of(task, task);
    try (var packing = packing(ends::incrementAndGet, 0, AT_ONCE, tasks)) {
      packing.start();
      assertTrue(packing.packNext());
      assertFalse(packing.isDone());
      assertEquals(0, ends.get());
      assertTrue(packing.packNext());
      assertTrue(packing.isDone());
      assertEquals(1, ends.get());
      assertFalse(packing.packNext());
      assertEquals(2, packed.get());
    }
  }

  @Test
  void shouldGiveEachWorkerMemoryOfItsOwn() {
    final MemorySegment[] panels = BackgroundPacking.panels(WORKERS, PANEL_BYTES);
    assertEquals(WORKERS, panels.length);
    long bytes = 0;
    for (MemorySegment panel : panels) {
      assertTrue(panel.byteSize() >= PANEL_BYTES);
      bytes += panel.byteSize();
      for (MemorySegment other : panels) {
        assertTrue(panel == other || panel.asOverlappingSlice(other).isEmpty());
      }
    }
    final Task task = new Task(worker -> {}, 1);
    try (var packing =
        new BackgroundPacking(List.of(task), () -> {}, new Plan(0, 0, AT_ONCE), panels)) {
      assertEquals(bytes, packing.bytes());
    }
  }

  @Test
  void shouldWaitForTheFirstStep() throws InterruptedException {
    final CountDownLatch end = new CountDownLatch(1);
    final Runnable whenDone =
        () -> {
          ends.incrementAndGet();
          end.countDown();
        };
    final List<Task> tasks = List.of(new Task(worker -> packed.incrementAndGet(), 1));
    final var closed = packing(whenDone, 2, NEVER, tasks);
    closed.start();
    closed.close(); // Wakes the threads, which then pack nothing.
    assertEquals(0, packed.get());
    try (var packing = packing(whenDone, 2, NEVER, tasks)) {
      packing.start();
      packing.stepped();
      assertTrue(end.await(30, TimeUnit.SECONDS));
    }
    assertEquals(1, packed.get());
  }

  @Test
  void shouldWaitForThePieceUnderWayAndTakeNoOtherWhenClosed() throws InterruptedException {
    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch release = new CountDownLatch(1);
    final IntConsumer blocked =
        worker -> {
          begun.countDown();
          assertDoesNotThrow(() -> release.await());
          packed.incrementAndGet();
        };
    final List<Task> tasks =
        List.of(new Task(blocked, 1), new Task(worker -> packed.incrementAndGet(), 1));
    final var packing = packing(ends::incrementAndGet, 1, AT_ONCE, tasks);
    packing.start();
    assertTrue(begun.await(30, TimeUnit.SECONDS));
    final Thread closer = Thread.ofPlatform().start(packing::close);
    while (closer.getState() != Thread.State.WAITING) Thread.onSpinWait();
    closer.interrupt(); // Does not hurry it.
    release.countDown();
    closer.join(TimeUnit.SECONDS.toMillis(30));
    assertFalse(closer.isAlive());
    assertEquals(1, packed.get());
    assertEquals(0, ends.get());
  }

  @Test
  void shouldFailTheNextStepAndPackNoMoreWhenAPieceCannotBePacked() throws InterruptedException {
    final var broken = new IllegalStateException("broken");
    final CountDownLatch thrown = new CountDownLatch(1);
    final IntConsumer failing =
        worker -> {
          thrown.countDown();
          throw broken;
        };
    final List<Task> tasks =
        List.of(
            new Task(worker -> packed.incrementAndGet(), 1),
            new Task(failing, 1),
            new Task(worker -> packed.incrementAndGet(), 1));
    final var packing = packing(ends::incrementAndGet, 1, AT_ONCE, tasks);
    assertDoesNotThrow(packing::requireIntact);
    packing.start();
    assertTrue(thrown.await(30, TimeUnit.SECONDS));
    packing.close(); // The thread has ended.
    final var e = assertThrows(IllegalStateException.class, packing::requireIntact);
    assertSame(broken, e.getCause());
    assertEquals(1, packed.get());
    assertEquals(0, ends.get());
    assertFalse(packing.isDone());
  }

  @Test
  void shouldTakeHalfOfAStepsThreadsAndLeaveSmallModelsAlone() {
    final var settings = new CpuDeviceSettings(5, 0, 1, 16, 0, Kernels.AUTO);
    assertEquals(Long.MAX_VALUE, Plan.of(settings).bytesMin());
    final var plan = Plan.of(settings.withPack(Pack.WHILE_SERVING));
    assertEquals(256L << 20, plan.bytesMin());
    assertEquals(3, plan.threads());
  }
}
