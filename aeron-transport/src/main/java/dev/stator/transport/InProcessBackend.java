package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Copies blocks between agents of one process: one copy, straight from source to target; past the
 * CPU where both memories have a way for that.
 *
 * <p><b>Threads:</b> copies run on the executor given.
 */
public final class InProcessBackend implements TransferBackend {
  public static final String NAME = "in-process";

  private final String id = UUID.randomUUID().toString(); // Tells it from those of other processes.
  private final AgentSinks sinks = new AgentSinks();
  private final Executor executor;

  /**
   * @param executor runs the copies; bounded, and closed with this when it is an {@link
   *     ExecutorService}
   */
  public InProcessBackend(Executor executor) {
    this.executor = executor;
  }

  /** With daemon threads of its own, which end when there is nothing to copy. */
  public static InProcessBackend create(TransferSettings settings) {
    final ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            settings.copyThreads(),
            settings.copyThreads(),
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(settings.inFlightBlocksMax()),
            Thread.ofPlatform().daemon().name("stator-transfer-", 0).factory());
    executor.allowCoreThreadTimeOut(true);
    return new InProcessBackend(executor);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Map<String, String> attach(String agent, BlockSink sink) {
    sinks.attach(agent, sink);
    return Map.of(NAME, id);
  }

  @Override
  public void detach(String agent) {
    sinks.detach(agent);
  }

  @Override
  public boolean reaches(AgentAddress to) {
    return id.equals(to.endpoints().get(NAME));
  }

  @Override
  public boolean offer(BlockWrite write) {
    try {
      executor.execute(() -> copy(write));
      return true;
    } catch (RejectedExecutionException full) {
      return false;
    }
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    if (!reaches(to) || message.byteSize() > MESSAGE_BYTES_MAX) return false;
    final MemorySegment copy =
        MemorySegment.ofArray(message.toArray(ValueLayout.JAVA_BYTE)).asReadOnly();
    try {
      executor.execute(() -> deliver(to.agent(), copy));
      return true;
    } catch (RejectedExecutionException full) {
      return false;
    }
  }

  private void deliver(String agent, MemorySegment message) {
    final BlockSink sink = sinks.of(agent);
    if (sink != null) sink.receive(message);
  }

  private void copy(BlockWrite write) {
    try {
      tryCopy(write);
    } catch (Throwable broken) {
      write.complete(TransferStatus.FAILED);
      throw broken;
    }
  }

  private void tryCopy(BlockWrite write) {
    final Grant grant = write.grant();
    final BlockSink sink = reaches(grant.agent()) ? sinks.of(grant.agent().agent()) : null;
    if (sink == null) {
      write.complete(TransferStatus.UNREACHABLE);
      return;
    }
    if (write.moveStraight(source -> deliver(write, sink, source))) return;
    final MemorySegment source = write.acquire();
    if (source == null) return;
    try {
      write.complete(
          sink.deliver(
              new BlockDelivery(
                  grant.id(),
                  grant.keyHigh(),
                  grant.keyLow(),
                  write.targetBlock(),
                  Checksums.crc32cOfHeld(source),
                  source)));
    } finally {
      write.release();
    }
  }

  private static TransferStatus deliver(
      BlockWrite write, BlockSink sink, StraightDelivery.Source source) {
    final Grant grant = write.grant();
    return sink.deliver(
        new StraightDelivery(
            grant.id(),
            grant.keyHigh(),
            grant.keyLow(),
            write.targetBlock(),
            grant.geometry().blockBytes(),
            source));
  }

  @Override
  public void close() {
    if (executor instanceof ExecutorService service) service.shutdownNow();
  }
}
