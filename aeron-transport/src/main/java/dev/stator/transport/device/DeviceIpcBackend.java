package dev.stator.transport.device;

import dev.stator.transport.AgentAddress;
import dev.stator.transport.AgentSinks;
import dev.stator.transport.BlockSink;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.LentPool;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.Connection;
import dev.stator.transport.local.LocalSockets;
import java.lang.foreign.MemorySegment;
import java.nio.channels.SocketChannel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blocks from device to device between processes of one user on one host, past the CPU.
 *
 * <pre>
 *   writer's process                                   receiver's process
 *   lends its device's memory ── pool: a handle ─────▶ opens it, once for each of its devices
 *   holds the block ──────────── post: grant, key ───▶ checks the right to write, pulls
 *   has its write ended? ◀────── pulled ────────────── waits; others may take the block over
 *   completes the write ──────── confirm ────────────▶ counts the block as arrived
 *                       ◀─────── answer ──────────────
 * </pre>
 *
 * <ul>
 *   <li><b>Safety:</b> only the receiver writes into its memory, by its own grants and clock. No
 *       checksum is taken; a block counts when its writer has confirmed, behind the pull, that its
 *       write had not ended, so that the source was what it was before. A writer that timed out,
 *       has died, or hung and woke, does not confirm.
 *   <li><b>Where there is no way</b> from device to device the receiver says so, once for a device
 *       and an agent; from then on the backend does not {@link #reaches reach} it.
 *   <li><b>Threads:</b> any. {@code threads} of its own wait for sockets and pull; a process has
 *       one connection to each other, the thread of which pulls for it. While nothing moves, none
 *       runs.
 *   <li><b>Carries</b> blocks of devices alone, and no messages.
 *   <li><b>Bounds:</b> {@link DeviceIpcSettings}.
 * </ul>
 */
public final class DeviceIpcBackend implements TransferBackend {
  public static final String NAME = "device-ipc";

  private static final Logger LOG = LoggerFactory.getLogger(DeviceIpcBackend.class);
  private static final int REFUSALS_MAX = 1024; // Remembered; the oldest goes.

  /** An agent that does not get at a device. */
  private record Refusal(LentPool from, String folder, String agent) {}

  private final DeviceIpcSettings settings;
  private final RejectionCounters counters = new RejectionCounters();
  private final LocalSockets sockets;
  private final AtomicInteger nextLoop = new AtomicInteger(); // Of who is connected to.
  private final AgentSinks sinks = new AgentSinks();
  private final Map<String, Outgoing> peers = new ConcurrentHashMap<>(); // By folder's name.

  // Guarded by itself.
  private final Map<Refusal, Boolean> refusals =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Refusal, Boolean> eldest) {
          return size() > REFUSALS_MAX;
        }
      };

  private DeviceIpcBackend(DeviceIpcSettings settings) {
    this.settings = settings;
    this.sockets =
        LocalSockets.open(
            settings.folder(),
            "stator-device-ipc",
            settings.threads(),
            settings.connectionsMax(),
            counters);
    sockets.accept((channel, loop, onClosed) ->
        new Incoming(channel, loop, settings, counters, sinks::of, onClosed));
  }

  /**
   * Makes this process reachable, and deletes what dead processes left behind.
   *
   * @throws java.io.UncheckedIOException when the settings' folder cannot be used
   */
  public static DeviceIpcBackend start(DeviceIpcSettings settings) {
    return new DeviceIpcBackend(settings);
  }

  /** What was refused before it reached an agent, by reason. */
  public Map<TransferStatus, Long> rejected() {
    return counters.counts();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Map<String, String> attach(String agent, BlockSink sink) {
    sinks.attach(agent, sink);
    return Map.of(NAME, sockets.folder().name());
  }

  @Override
  public void detach(String agent) {
    sinks.detach(agent);
  }

  /** Nobody: it carries blocks of devices alone. */
  @Override
  public boolean reaches(AgentAddress to) {
    return false;
  }

  /** Never this process itself, which has a shorter way. */
  @Override
  public boolean reaches(AgentAddress to, LentPool from) {
    final String name = to.endpoints().get(NAME);
    if (!sockets.reaches(to, name) || name.equals(sockets.folder().name())) return false;
    synchronized (refusals) {
      return !refusals.containsKey(new Refusal(from, name, to.agent()));
    }
  }

  @Override
  public boolean offer(BlockWrite write) {
    return offerAll(List.of(write)) == 1;
  }

  @Override
  public int offerAll(List<BlockWrite> writes) {
    if (writes.isEmpty()) return 0;
    final Optional<LentPool> pool = writes.getFirst().lent();
    final Outgoing peer =
        pool.map(from -> peer(writes.getFirst().grant().agent(), from)).orElse(null);
    if (peer == null) {
      for (BlockWrite write : writes) write.complete(TransferStatus.UNREACHABLE);
      return writes.size();
    }
    return peer.offer(writes.stream().map(write -> new Parcel(write, pool.get())).toList());
  }

  /** {@code null} when nobody is there. */
  private Outgoing peer(AgentAddress to, LentPool from) {
    if (!reaches(to, from)) return null;
    final String name = to.endpoints().get(NAME);
    final Outgoing known = peers.get(name);
    if (known != null && !known.isClosed()) return known;
    if (peers.size() >= settings.connectionsMax()) return null;
    return peers.computeIfAbsent(name, this::connect);
  }

  private Outgoing connect(String name) {
    final List<SocketChannel> channels = sockets.connect(name, 1);
    if (channels.isEmpty()) return null;
    final Outgoing peer =
        new Outgoing(
            channels.getFirst(),
            sockets.loop(nextLoop.getAndIncrement()),
            settings,
            sockets.folder().name(),
            counters,
            (pool, agent) -> refused(pool, name, agent),
            closed -> peers.remove(name, closed));
    peer.start();
    return peer;
  }

  private void refused(LentPool from, String folder, String agent) {
    final boolean isNew;
    synchronized (refusals) {
      isNew = refusals.put(new Refusal(from, folder, agent), true) == null;
    }
    if (isNew) {
      LOG.warn("Agent {} does not get at this process's device: blocks go another way", agent);
    }
  }

  /** Carries none. */
  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    return false;
  }

  @Override
  public void close() {
    List.copyOf(peers.values()).forEach(Connection::close);
    sockets.close();
  }
}
