package dev.stator.transport.local;

import dev.stator.transport.AgentAddress;
import dev.stator.transport.HostId;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a process can be reached by others of its user, and its way to them. Owns the process's
 * folder.
 *
 * <p><b>Threads:</b> any. Has the threads that wait for the sockets, which sleep while nothing
 * comes.
 */
public final class LocalSockets implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LocalSockets.class);
  private static final int BACKLOG = 128;

  /** Makes this side's end of a connection. */
  @FunctionalInterface
  public interface Taker {
    /**
     * @param onClosed to be called once
     */
    Connection take(SocketChannel channel, SocketLoop loop, Consumer<Connection> onClosed);
  }

  private final SharedFolder folder;
  private final List<SocketLoop> loops;
  private final AtomicInteger nextLoop = new AtomicInteger(); // Of who comes in.
  private final ServerSocketChannel server;
  private final int acceptedMax;
  private final RejectionCounters counters;
  private final Set<Connection> accepted = ConcurrentHashMap.newKeySet();

  private LocalSockets(
      SharedFolder folder,
      String threadsName,
      int threads,
      int acceptedMax,
      RejectionCounters counters)
      throws IOException {
    this.folder = folder;
    this.acceptedMax = acceptedMax;
    this.counters = counters;
    this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    this.server.bind(UnixDomainSocketAddress.of(folder.socket()), BACKLOG);
    this.loops =
        IntStream.range(0, threads).mapToObj(i -> new SocketLoop(threadsName + "-" + i)).toList();
  }

  /**
   * Makes a folder for this process below the root, and a socket in it; deletes what dead processes
   * left there.
   *
   * @param acceptedMax connections from others at once
   * @param counters of those that are refused
   * @throws UncheckedIOException when the root cannot be used
   */
  public static LocalSockets open(
      Path root, String threadsName, int threads, int acceptedMax, RejectionCounters counters) {
    final SharedFolder folder = SharedFolder.open(root);
    try {
      return new LocalSockets(folder, threadsName, threads, acceptedMax, counters);
    } catch (IOException | RuntimeException broken) {
      folder.close();
      throw new UncheckedIOException(
          "cannot listen at " + folder.socket(),
          broken instanceof IOException io ? io : new IOException(broken));
    }
  }

  /** From now on others are taken in. */
  public void accept(Taker taker) {
    loops.getFirst().register(server, SelectionKey.OP_ACCEPT, new Acceptor(taker));
  }

  public SharedFolder folder() {
    return folder;
  }

  /** One of the threads; any number names one. */
  public SocketLoop loop(int number) {
    return loops.get(Math.floorMod(number, loops.size()));
  }

  /**
   * Whether a socket of that process is there.
   *
   * @param name its folder's; {@code null} for none
   */
  public boolean reaches(AgentAddress to, String name) {
    return name != null
        && to.host().equals(HostId.current())
        && SharedFolder.isName(name)
        && Files.exists(folder.socketOf(name));
  }

  /** Connections to a process; none when nobody listens there. */
  public List<SocketChannel> connect(String name, int count) {
    final List<SocketChannel> channels = new ArrayList<>(count);
    try {
      while (channels.size() < count) channels.add(open(name));
    } catch (IOException gone) {
      LOG.debug("Nobody listens at {}: {}", folder.socketOf(name), gone.getMessage());
      channels.forEach(LocalSockets::close);
      return List.of();
    }
    return channels;
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

  /** Takes in other processes. The loop's thread. */
  private final class Acceptor implements SocketLoop.Handler {
    private final Taker taker;

    private Acceptor(Taker taker) {
      this.taker = taker;
    }

    @Override
    public void ready(SelectionKey key) throws IOException {
      final SocketChannel channel = server.accept();
      if (channel == null) return;
      if (accepted.size() >= acceptedMax) {
        counters.count(TransferStatus.BACK_PRESSURED);
        LOG.warn("More than {} connections from other processes", acceptedMax);
        channel.close();
        return;
      }
      final Connection connection =
          taker.take(channel, loop(nextLoop.getAndIncrement()), accepted::remove);
      accepted.add(connection);
      connection.start();
    }

    @Override
    public void broken(IOException why) {
      LOG.error("No other process can reach this one by these sockets any more", why);
    }
  }

  /** Returns when all threads have ended. The folder stays until {@link #close}. */
  public void disconnect() {
    List.copyOf(accepted).forEach(Connection::close);
    loops.forEach(SocketLoop::close);
    try {
      server.close();
    } catch (IOException broken) {
      LOG.warn("Cannot close", broken);
    }
  }

  /** Also deletes the folder, with all that is in it. */
  @Override
  public void close() {
    disconnect();
    folder.close();
  }
}
