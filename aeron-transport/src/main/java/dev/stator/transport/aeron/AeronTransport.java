package dev.stator.transport.aeron;

import dev.stator.transport.AgentAddress;
import dev.stator.transport.HostId;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStatus;
import io.aeron.exceptions.AeronException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Aeron in this process. One thread does everything: the media driver's work, the clients', sending
 * and receiving. A block that is sent thus goes to the kernel, and one that arrives to its place,
 * while it is in that core's cache; and where nothing happens, one thread sleeps.
 *
 * <pre>
 *   made --first attach or write--&gt; running --both backends closed--&gt; closed
 * </pre>
 *
 * <b>Threads:</b> any.
 */
public final class AeronTransport {
  private static final Logger LOG = LoggerFactory.getLogger(AeronTransport.class);
  private static final int TASKS_MAX = 256;
  private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long REPAIR_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);
  private static final long CALL_TIMEOUT_MS = 15_000; // Beyond an Aeron client's own of 10 s.

  private final AeronSettings settings;
  private final RandomGenerator random = new SecureRandom();
  private final Faults faults = new Faults();
  private final AeronBackend ipc;
  private final AeronBackend udp;
  private final ManyToOneConcurrentArrayQueue<Runnable> tasks =
      new ManyToOneConcurrentArrayQueue<>(TASKS_MAX);
  private final List<Listener> listeners = new ArrayList<>(); // Transport's thread.
  private volatile int inbound; // The transport's thread writes it, and the next.
  private volatile long invalidDatagrams;
  private volatile Thread thread;
  private volatile boolean isRunning = true;
  private int openBackends = 2; // Guarded by this.
  private Station station; // Transport's thread.
  private long repairAtNs;
  private int driverWork; // In this cycle.

  private AeronTransport(AeronSettings settings) {
    this.settings = settings;
    this.ipc = new AeronBackend(this, new IpcChannels(settings), AeronTransport::isNear);
    this.udp = new AeronBackend(this, new UdpChannels(settings), to -> true);
  }

  /** Starts nothing: the first agent or write does. */
  public static AeronTransport create(AeronSettings settings) {
    return new AeronTransport(settings);
  }

  /** Between processes of one host. Closing both backends closes the transport. */
  public TransferBackend ipc() {
    return ipc;
  }

  /** Between hosts. Closing both backends closes the transport. */
  public TransferBackend udp() {
    return udp;
  }

  public AeronStats stats() {
    return new AeronStats(
        ipc.connections() + udp.connections(), inbound, invalidDatagrams, faults.counts());
  }

  private static boolean isNear(AgentAddress to) {
    return to.host().equals(HostId.current())
        && Files.isDirectory(Path.of(to.endpoints().get(IpcChannels.NAME)));
  }

  AeronSettings settings() {
    return settings;
  }

  /** Listens for a backend's agents, unless it does; returns where. */
  String listen(AeronBackend backend, Channels channels) {
    return call(() -> {
      if (channels.endpoint() == null) {
        final Listener listener =
            new Listener(channels, station, backend.sinks()::of, settings, faults);
        listener.listen();
        listeners.add(listener);
      }
      return channels.endpoint();
    });
  }

  OutboundLink link(Channels channels, String agent, String endpoint) {
    return new OutboundLink(
        agent + " at " + endpoint,
        settings,
        (link, nowNs) -> open(channels, agent, endpoint, nowNs),
        System.nanoTime());
  }

  /** <b>Threads:</b> the transport's. */
  private Connection open(Channels channels, String agent, String endpoint, long nowNs) {
    if (channels.endpoint() == null) return null; // Replies would find no way.
    final Optional<String> directory = channels.foreignDirectory(endpoint);
    final var client = station.acquire(directory);
    if (client == null) return null;
    final int replyStream = random.nextInt(Channels.REPLY_STREAM_MIN, Integer.MAX_VALUE);
    final Connection.Parts parts =
        new Connection.Parts(client, channels, agent, endpoint, random.nextLong(), replyStream);
    final Runnable onClose = () -> station.release(directory, client);
    try {
      return new Connection(parts, settings, faults, onClose, nowNs);
    } catch (AeronException ended) {
      onClose.run();
      return null;
    }
  }

  /** There is work for the thread. */
  void wake() {
    final Thread running = thread;
    LockSupport.unpark(running != null ? running : start());
  }

  private synchronized Thread start() {
    if (thread == null && isRunning) {
      thread = Thread.ofPlatform().daemon().name("stator-aeron").start(this::run);
    }
    return thread;
  }

  private <T> T call(Callable<T> task) {
    final CompletableFuture<T> result = new CompletableFuture<>();
    final boolean isTaken =
        tasks.offer(() -> {
          try {
            result.complete(task.call());
          } catch (Throwable failure) {
            result.completeExceptionally(failure);
          }
        });
    if (!isTaken) throw new IllegalStateException("too much to do");
    wake();
    try {
      return result.get(CALL_TIMEOUT_MS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException failed) {
      throw new IllegalStateException(failed.getCause().getMessage(), failed.getCause());
    } catch (TimeoutException late) {
      throw new IllegalStateException("the transport's thread does not answer", late);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", interrupted);
    }
  }

  private void run() {
    try (Station opened = new Station(settings)) {
      station = opened;
      final Dozing dozing = new Dozing(settings.parkMax(), settings.dozeMax());
      while (isRunning) {
        final long nowNs = System.nanoTime();
        final int work = tryWork(nowNs);
        dozing.idle(work, driverWork, nowNs);
      }
      ipc.failAll(TransferStatus.UNREACHABLE, System.nanoTime());
      udp.failAll(TransferStatus.UNREACHABLE, System.nanoTime());
    } catch (Throwable failure) {
      LOG.error("Aeron has ended; blocks will not leave this process by it", failure);
    } finally {
      isRunning = false;
      tasks.drain(Runnable::run);
    }
  }

  private int tryWork(long nowNs) {
    try {
      return doWork(nowNs);
    } catch (RuntimeException failure) { // Blocks of others still have to move.
      LOG.error("A cycle of the transport broke", failure);
      LockSupport.parkNanos(PAUSE_NS);
      return 0;
    }
  }

  private int doWork(long nowNs) {
    driverWork = 0; // In case the next line throws.
    driverWork = station.doWork();
    invalidDatagrams = station.invalidDatagrams();
    return station.isBroken() ? repair(nowNs) : doOwnWork(nowNs);
  }

  private int doOwnWork(long nowNs) {
    int work = tasks.isEmpty() ? 0 : tasks.drain(Runnable::run);
    int links = 0;
    for (int i = 0; i < listeners.size(); i++) {
      work += listeners.get(i).doWork(nowNs);
      links += listeners.get(i).connections();
    }
    if (links != inbound) inbound = links;
    return work + ipc.doWork(nowNs) + udp.doWork(nowNs);
  }

  private int repair(long nowNs) {
    if (nowNs - repairAtNs < 0) return 0;
    repairAtNs = nowNs + REPAIR_INTERVAL_NS;
    ipc.failAll(TransferStatus.UNREACHABLE, nowNs);
    udp.failAll(TransferStatus.UNREACHABLE, nowNs);
    try {
      if (!station.repair()) return 0;
      listeners.forEach(Listener::listen);
    } catch (RuntimeException failure) {
      LOG.warn("Aeron cannot go on yet: {}", failure.toString());
    }
    return 1;
  }

  void release() {
    final Thread running;
    synchronized (this) {
      if (--openBackends > 0) return;
      isRunning = false;
      running = thread;
    }
    if (running == null || running == Thread.currentThread()) return;
    LockSupport.unpark(running);
    try {
      running.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
