package dev.stator.transport.shared;

import dev.stator.transport.AgentAddress;
import dev.stator.transport.AgentSinks;
import dev.stator.transport.BlockSink;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.LocalSockets;
import dev.stator.transport.local.Outbox;
import dev.stator.transport.local.SharedFolder;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blocks between processes of one user on one host, with one copy in all.
 *
 * <pre>
 *   writer's process                                    receiver's process
 *   pool, mapped ◀───────── mapped to be read ───────── copies from it into its own memory, verifies
 *   takes the CRC32C ── post: grant, key, where ──────▶
 *   completes the write ◀── answer ────────────────────
 * </pre>
 *
 * <ul>
 *   <li><b>Safety:</b> only the receiver writes into its memory, by its own grants and clock. A
 *       writer that hangs can at worst leave a source block that no longer has its checksum.
 *   <li><b>Threads:</b> any. {@code threads} of its own, each with a lane, a socket, to every other
 *       process: a lane's writer prepares a batch while its receiver copies the one before, and
 *       each wakes the other. The caller of a few bytes sends them itself. While nothing moves,
 *       none runs. The death of a process is seen at once, as its sockets close.
 *   <li><b>Copies:</b> one, and one more for blocks that do not lie in memory of {@link #allocate}.
 *   <li><b>Bounds:</b> {@link SharedSettings}.
 * </ul>
 */
public final class SharedBackend implements TransferBackend {
  public static final String NAME = "shared";

  private static final Logger LOG = LoggerFactory.getLogger(SharedBackend.class);
  private static final int STAGED_LENGTHS_MAX = 8; // As many kinds of device memory.

  private final SharedSettings settings;
  private final RejectionCounters counters = new RejectionCounters();
  private final LocalSockets sockets; // With as many threads as lanes.
  private final SharedFolder folder;
  private final AgentSinks sinks = new AgentSinks();
  private final Map<String, Peer> peers = new ConcurrentHashMap<>(); // By folder's name.
  private final MappedPools mapped;
  private final Map<Long, Staging> stagings = new ConcurrentHashMap<>(); // By blocks' length.

  private SharedBackend(SharedSettings settings) {
    this.settings = settings;
    this.sockets =
        LocalSockets.open(
            settings.folder(),
            "stator-shared",
            settings.threads(),
            settings.connectionsMax() * settings.threads(),
            counters);
    this.folder = sockets.folder();
    this.mapped = new MappedPools(folder);
    sockets.accept((channel, loop, onClosed) ->
        new Incoming(channel, loop, settings, mapped, counters, sinks::of, onClosed));
  }

  /**
   * Makes this process reachable, and deletes what dead processes left behind.
   *
   * @throws UncheckedIOException when the settings' folder cannot be used
   */
  public static SharedBackend start(SharedSettings settings) {
    return new SharedBackend(settings);
  }

  /**
   * Memory that blocks go from with one copy; its owner closes it, before this.
   *
   * @throws UncheckedIOException when there is no room for it
   */
  public SharedMemory allocate(long bytes) {
    return folder.allocate(bytes);
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
    return Map.of(NAME, folder.name());
  }

  @Override
  public void detach(String agent) {
    sinks.detach(agent);
  }

  @Override
  public boolean reaches(AgentAddress to) {
    return sockets.reaches(to, to.endpoints().get(NAME));
  }

  @Override
  public boolean offer(BlockWrite write) {
    return offerAll(List.of(write)) == 1;
  }

  @Override
  public int offerAll(List<BlockWrite> writes) {
    if (writes.isEmpty()) return 0;
    final List<Parcel> parcels = parcels(writes);
    if (parcels == null) { // Another backend needs no room.
      for (BlockWrite write : writes) write.complete(TransferStatus.UNREACHABLE);
      return writes.size();
    }
    if (parcels.isEmpty()) return 0;
    final Peer peer = peer(parcels.getFirst().write().grant().agent());
    if (peer == null) {
      for (Parcel parcel : parcels) parcel.end(TransferStatus.UNREACHABLE);
      return parcels.size();
    }
    final int taken = peer.offer(parcels);
    for (Parcel left : parcels.subList(taken, parcels.size())) left.free();
    return taken;
  }

  /** The first of these that there is room for; {@code null} when there is none at all. */
  private List<Parcel> parcels(List<BlockWrite> writes) {
    final Optional<SharedMemory> pool = writes.getFirst().shared().filter(this::isOwn);
    final List<Parcel> parcels = new ArrayList<>(writes.size());
    if (pool.isPresent()) {
      for (BlockWrite write : writes) parcels.add(new Parcel(write, pool.get(), null));
      return parcels;
    }
    final Staging staging = staging(writes.getFirst().grant().geometry().blockBytes());
    if (staging == null) return null;
    for (BlockWrite write : writes) {
      final Staging.Slot slot = slot(staging);
      if (slot == null) break;
      parcels.add(new Parcel(write, slot.pool(), slot));
    }
    return parcels;
  }

  private Staging.Slot slot(Staging staging) {
    final Staging.Slot slot = staging.take();
    if (slot != null) return slot;
    peers.values().forEach(Peer::dropEnded);
    return staging.take();
  }

  private boolean isOwn(SharedMemory pool) {
    return pool.file().getParent().equals(folder.path());
  }

  /** {@code null} when there is no room. */
  private Staging staging(long blockBytes) {
    final Staging known = stagings.get(blockBytes);
    if (known != null || stagings.size() >= STAGED_LENGTHS_MAX) return known;
    try {
      return stagings.computeIfAbsent(
          blockBytes, length -> new Staging(folder, length, settings.stagingBytes()));
    } catch (UncheckedIOException full) {
      LOG.warn("Blocks cannot be staged: {}", full.getMessage());
      return null;
    }
  }

  /** {@code null} when nobody is there. */
  private Peer peer(AgentAddress to) {
    final String name = to.endpoints().get(NAME);
    final Peer known = name == null ? null : peers.get(name);
    if (known != null && !known.isClosed()) return known;
    if (!reaches(to) || peers.size() >= settings.connectionsMax()) return null;
    return peers.computeIfAbsent(name, this::connect);
  }

  private Peer connect(String name) {
    final List<SocketChannel> channels = sockets.connect(name, settings.threads());
    if (channels.isEmpty()) return null;
    final Peer peer =
        new Peer(
            settings,
            (outbox, onClosed) ->
                IntStream.range(0, channels.size())
                    .mapToObj(i -> lane(i, outbox, channels.get(i), onClosed))
                    .toList(),
            () -> peers.computeIfPresent(name, (key, there) -> there.isClosed() ? null : there));
    peer.start();
    return peer;
  }

  private Lane lane(int number, Outbox<Parcel> outbox, SocketChannel channel, Runnable onClosed) {
    return new Lane(
        number, outbox, channel, sockets.loop(number), settings, folder.name(), counters, onClosed);
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    if (message.byteSize() > MESSAGE_BYTES_MAX) return false;
    final Peer peer = peer(to);
    return peer != null && peer.message(to.agent(), message);
  }

  @Override
  public void close() {
    List.copyOf(peers.values()).forEach(Peer::close);
    sockets.disconnect();
    stagings.values().forEach(Staging::close);
    sockets.close();
  }
}
