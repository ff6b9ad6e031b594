package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
  private static final Duration WAIT_MAX = Duration.ofMinutes(2);
  private static final int JOBS = 3000;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void shouldRunEachTaskOfEachJobOnce(int threads) {
    final Random random = new Random(4);
    try (WorkerPool pool = new WorkerPool(threads)) {
      Assertions.assertTimeoutPreemptively(
          WAIT_MAX,
          () -> {
            for (int job = 0; job < JOBS; job++) {
              final int count = random.nextInt(20);
              final AtomicIntegerArray runs = new AtomicIntegerArray(count);
              pool.run(
                  count,
                  (task, worker) -> {
                    assertTrue(worker >= 0 && worker < threads);
                    runs.incrementAndGet(task);
                  });
              for (int task = 0; task < count; task++) assertEquals(1, runs.get(task));
            }
          });
    }
  }

  @Test
  void shouldUseAllThreadsAtOnceWhenTasksAreLong() {
    try (WorkerPool pool = new WorkerPool(3)) {
      final CyclicBarrier all = new CyclicBarrier(3);
      // Each task waits for the other two: fewer than three threads would time out.
      pool.run(3, (task, worker) -> await(all));
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await(WAIT_MAX.toSeconds(), TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldThrowWhatATaskThrewAndStayUsable() {
    try (WorkerPool pool = new WorkerPool(2)) {
      final var failure = new IllegalArgumentException("task 3");
      final var thrown =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  pool.run(
                      8,
                      (task, worker) -> {
                        if (task == 3) throw failure;
                      }));
      assertSame(failure, thrown);
      final AtomicIntegerArray runs = new AtomicIntegerArray(8);
      pool.run(8, (task, worker) -> runs.incrementAndGet(task));
      for (int task = 0; task < 8; task++) assertEquals(1, runs.get(task));
    }
  }
}
