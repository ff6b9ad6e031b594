package dev.stator.device.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that share out the tasks of one job at a time, taken one by one from a counter, so that a
 * slow or preempted thread holds back no more than the task it has.
 *
 * <p><b>Threads:</b> one caller at a time. It works too, and returns when all tasks are done. Idle
 * threads spin for {@link #SPINS} rounds, then park.
 */
final class WorkerPool implements AutoCloseable {
  /** One part of a job; runs on any worker, whose index names its scratch memory. */
  @FunctionalInterface
  interface Task {
    void run(int taskIndex, int workerIndex);
  }

  /** Some ten microseconds: longer than the gap between two jobs of a step, shorter than a park. */
  private static final int SPINS = 400;

  private static final VarHandle NEXT = counter("next");
  private static final VarHandle COMPLETED = counter("completed");

  private static final class Job {
    final Task task;
    final int taskCount;
    final Thread caller;
    volatile int next;
    volatile int completed;
    volatile Throwable failure;

    Job(Task task, int taskCount) {
      this.task = task;
      this.taskCount = taskCount;
      this.caller = Thread.currentThread();
    }

    boolean isCompleted() {
      return completed == taskCount;
    }

    /** Takes tasks until none is left. */
    void work(int workerIndex) {
      while (true) {
        final int taskIndex = (int) NEXT.getAndAdd(this, 1);
        if (taskIndex >= taskCount) return;
        try {
          if (failure == null) task.run(taskIndex, workerIndex);
        } catch (Throwable t) {
          failure = t;
        }
        if ((int) COMPLETED.getAndAdd(this, 1) + 1 == taskCount) LockSupport.unpark(caller);
      }
    }
  }

  private final Thread[] threads;

  /**
   * Nonzero from before a thread looks for a job a last time until it is back: whoever sets {@link
   * #current} and then reads zero here knows that the thread will see the job.
   */
  private final AtomicIntegerArray parked;

  private volatile Job current;
  private volatile boolean isClosed;

  /**
   * @param threadCount the caller's thread included
   */
  WorkerPool(int threadCount) {
    threads = new Thread[threadCount - 1];
    parked = new AtomicIntegerArray(threadCount - 1);
    for (int i = 0; i < threads.length; i++) {
      final int workerIndex = i + 1;
      threads[i] =
          Thread.ofPlatform()
              .name("stator-cpu-" + workerIndex)
              .daemon()
              .start(() -> serve(workerIndex));
    }
  }

  int threadCount() {
    return threads.length + 1;
  }

  /**
   * Runs tasks {@code 0..taskCount-1}, in any order, and waits for all.
   *
   * @throws RuntimeException what a task threw; the tasks not yet begun are then skipped
   */
  void run(int taskCount, Task task) {
    if (taskCount <= 1 || threads.length == 0) {
      for (int i = 0; i < taskCount; i++) task.run(i, 0);
      return;
    }
    final Job job = new Job(task, taskCount);
    current = job;
    final int helpers = Math.min(threads.length, taskCount - 1);
    for (int i = 0; i < helpers; i++) if (parked.get(i) != 0) LockSupport.unpark(threads[i]);
    job.work(0);
    for (int spins = 0; !job.isCompleted(); spins++) {
      if (spins < SPINS) Thread.onSpinWait();
      else LockSupport.park(job);
    }
    rethrow(job.failure);
  }

  private void serve(int workerIndex) {
    Job last = null;
    int spins = 0;
    while (!isClosed) {
      final Job job = current;
      if (job != last) {
        if (job != null) job.work(workerIndex);
        last = job;
        spins = 0;
      } else if (spins++ < SPINS) {
        Thread.onSpinWait();
      } else {
        parked.set(workerIndex - 1, 1);
        if (current == last && !isClosed) LockSupport.park(this);
        parked.set(workerIndex - 1, 0);
        spins = 0;
      }
    }
  }

  private static void rethrow(Throwable failure) {
    if (failure == null) return;
    if (failure instanceof RuntimeException exception) throw exception;
    if (failure instanceof Error error) throw error;
    throw new IllegalStateException(failure);
  }

  private static VarHandle counter(String name) {
    try {
      return MethodHandles.lookup().findVarHandle(Job.class, name, int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @Override
  public void close() {
    isClosed = true;
    for (Thread thread : threads) LockSupport.unpark(thread);
  }
}
