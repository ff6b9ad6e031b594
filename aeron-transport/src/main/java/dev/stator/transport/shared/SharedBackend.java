package dev.stator.transport.shared;

import dev.stator.transport.AgentAddress;
import dev.stator.transport.BlockSink;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.HostId;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
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
  private static final int BACKLOG = 128;

  private final SharedSettings settings;
  private final SharedFolder folder;
  private final List<SocketLoop> loops; // As many as lanes.
  private final AtomicInteger nextLoop = new AtomicInteger(); // Of who comes in.
  private final RejectionCounters counters = new RejectionCounters();
  private final ServerSocketChannel server;
  private final Map<String, BlockSink> sinks = new ConcurrentHashMap<>();
  private final Map<String, Peer> peers = new ConcurrentHashMap<>(); // By folder's name.
  private final MappedPools mapped;
  private final Set<Incoming> incoming = ConcurrentHashMap.newKeySet();
  private final Map<Long, Staging> stagings = new ConcurrentHashMap<>(); // By blocks' length.

  private SharedBackend(SharedSettings settings, SharedFolder folder) throws IOException {
    this.settings = settings;
    this.folder = folder;
    this.mapped = new MappedPools(folder);
    this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    this.server.bind(UnixDomainSocketAddress.of(folder.socket()), BACKLOG);
    this.loops =
        IntStream.range(0, settings.threads())
            .mapToObj(i -> new SocketLoop("stator-shared-" + i))
            .toList();
    loops.getFirst().register(server, SelectionKey.OP_ACCEPT, new Acceptor());
  }

  /**
   * Makes this process reachable, and deletes what dead processes left behind.
   *
   * @throws UncheckedIOException when the settings' folder cannot be used
   */
  public static SharedBackend start(SharedSettings settings) {
    final SharedFolder folder = SharedFolder.open(settings.folder());
    try {
      return new SharedBackend(settings, folder);
    } catch (IOException | RuntimeException broken) {
      folder.close();
      throw new UncheckedIOException(
          "cannot listen at " + folder.socket(),
          broken instanceof IOException io ? io : new IOException(broken));
    }
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
    if (sinks.putIfAbsent(agent, sink) != null) {
      throw new IllegalStateException("agent " + agent + " is attached already");
    }
    return Map.of(NAME, folder.name());
  }

  @Override
  public void detach(String agent) {
    sinks.remove(agent);
  }

  @Override
  public boolean reaches(AgentAddress to) {
    final String name = to.endpoints().get(NAME);
    return name != null
        && to.host().equals(HostId.current())
        && SharedFolder.isName(name)
        && Files.exists(folder.socketOf(name));
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
    final List<SocketChannel> channels = new ArrayList<>(loops.size());
    try {
      while (channels.size() < loops.size()) channels.add(open(name));
    } catch (IOException gone) {
      LOG.debug("Nobody listens at {}: {}", folder.socketOf(name), gone.getMessage());
      channels.forEach(SharedBackend::close);
      return null;
    }
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

  private SocketChannel open(String name) throws IOException {
    final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.configureBlocking(false); // A full backlog is an answer, too.
    try {
      if (channel.connect(UnixDomainSocketAddress.of(folder.socketOf(name)))) return channel;
    } catch (IOException gone) {
      close(channel);
      throw gone;
    }
    close(channel);
    throw new IOException("not connected at once");
  }

  private static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException broken) {
      LOG.warn("Cannot close", broken);
    }
  }

  private Lane lane(int number, Outbox outbox, SocketChannel channel, Runnable onClosed) {
    return new Lane(
        number, outbox, channel, loops.get(number), settings, folder.name(), counters, onClosed);
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    if (message.byteSize() > MESSAGE_BYTES_MAX) return false;
    final Peer peer = peer(to);
    return peer != null && peer.message(to.agent(), message);
  }

  /** Takes in other processes. The loop's thread. */
  private final class Acceptor implements SocketLoop.Handler {
    @Override
    public void ready(SelectionKey key) throws IOException {
      final SocketChannel channel = server.accept();
      if (channel == null) return;
      if (incoming.size() >= settings.connectionsMax() * loops.size()) {
        counters.count(TransferStatus.BACK_PRESSURED);
        LOG.warn("More than {} processes want to write here", settings.connectionsMax());
        channel.close();
        return;
      }
      final Incoming connection =
          new Incoming(
              channel,
              loops.get(Math.floorMod(nextLoop.getAndIncrement(), loops.size())),
              settings,
              mapped,
              counters,
              sinks::get,
              incoming::remove);
      incoming.add(connection);
      connection.start();
    }

    @Override
    public void broken(IOException why) {
      LOG.error("No other process can reach this one through shared memory any more", why);
    }
  }

  @Override
  public void close() {
    List.copyOf(peers.values()).forEach(Peer::close);
    List.copyOf(incoming).forEach(Connection::close);
    loops.forEach(SocketLoop::close);
    try {
      server.close();
    } catch (IOException broken) {
      LOG.warn("Cannot close", broken);
    }
    stagings.values().forEach(Staging::close);
    folder.close();
  }
}
