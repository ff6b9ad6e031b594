package dev.stator.transport.shared;

import dev.stator.transport.BlockDelivery;
import dev.stator.transport.BlockSink;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.AcceptedConnection;
import dev.stator.transport.local.Connection;
import dev.stator.transport.local.Frames;
import dev.stator.transport.local.SocketLoop;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The receiver's end of a connection from one writing process.
 *
 * <p><b>Threads:</b> the loop's, copies and all.
 */
final class Incoming extends AcceptedConnection {
  private static final Logger LOG = LoggerFactory.getLogger(Incoming.class);

  private final MappedPools mapped;
  private final int poolsMax;
  private final Function<String, BlockSink> sinks;
  private final Consumer<Connection> onClosed;
  private final Map<Integer, MappedPool> pools = new ConcurrentHashMap<>();

  /**
   * @param sinks by agent; {@code null} when there is none
   * @param onClosed called once
   */
  Incoming(
      SocketChannel channel,
      SocketLoop loop,
      SharedSettings settings,
      MappedPools mapped,
      RejectionCounters counters,
      Function<String, BlockSink> sinks,
      Consumer<Connection> onClosed) {
    super(channel, loop, counters);
    this.mapped = mapped;
    this.poolsMax = settings.poolsMax();
    this.sinks = sinks;
    this.onClosed = onClosed;
  }

  @Override
  protected String onGreeted(byte kind, int count, ByteBuffer body) {
    return switch (kind) {
      case SharedFrames.POOL -> pool(body);
      case SharedFrames.POOL_CLOSED -> poolClosed(body);
      case SharedFrames.POST -> posts(count, body);
      case SharedFrames.MESSAGE -> message(body);
      default -> "a frame of kind " + kind;
    };
  }

  private String pool(ByteBuffer body) {
    if (body.remaining() != SharedFrames.POOL_LENGTH) return "a pool of the wrong form";
    final int id = body.getInt();
    body.getInt();
    final long length = body.getLong();
    final String name = Frames.getText(body, SharedFrames.POOL_NAME_LENGTH);
    if (pools.size() >= poolsMax) return "more than " + poolsMax + " pools";
    if (pools.containsKey(id)) return "a pool's number again";
    try {
      pools.put(id, mapped.acquire(writer(), name, length));
      if (isClosed()) closePools();
      return null;
    } catch (IOException | RuntimeException refused) {
      LOG.warn("Not mapped: {}", refused.getMessage());
      return "a pool that cannot be mapped";
    }
  }

  private String poolClosed(ByteBuffer body) {
    if (body.remaining() != SharedFrames.POOL_CLOSED_LENGTH) return "a pool of the wrong form";
    final MappedPool pool = pools.remove(body.getInt());
    if (pool != null) mapped.release(pool);
    return null;
  }

  private String posts(int count, ByteBuffer body) {
    final String agent = Frames.getName(body);
    if (agent == null || body.remaining() != count * SharedFrames.POST_ENTRY_LENGTH) {
      return count + " posts in " + body.remaining() + " bytes";
    }
    final Set<MappedPool> read = new HashSet<>();
    try {
      posts(agent, count, body, read);
    } finally {
      read.forEach(MappedPool::leave);
    }
    return null;
  }

  /**
   * @param read every pool that has been entered is added
   */
  private void posts(String agent, int count, ByteBuffer body, Set<MappedPool> read) {
    final long[] sequences = new long[count];
    final TransferStatus[] statuses = new TransferStatus[count];
    final List<BlockDelivery> deliveries = new ArrayList<>(count);
    final BlockSink sink = sinks.apply(agent);
    for (int i = 0; i < count; i++) {
      final SharedFrames.Post post = SharedFrames.Post.decode(body);
      final MemorySegment source = source(post, read);
      sequences[i] = post.sequence();
      if (sink == null) statuses[i] = counters.count(TransferStatus.UNREACHABLE);
      else if (source == null) statuses[i] = counters.count(TransferStatus.OUT_OF_RANGE);
      else deliveries.add(post.delivery(source));
    }
    final Iterator<TransferStatus> delivered = deliver(sink, deliveries).iterator();
    for (int i = 0; i < count; i++) if (statuses[i] == null) statuses[i] = delivered.next();
    answer(sequences, statuses);
  }

  /** {@code null} when it lies in no pool. */
  private MemorySegment source(SharedFrames.Post post, Set<MappedPool> read) {
    final MappedPool pool = pools.get(post.poolId());
    if (pool == null) return null;
    if (!read.contains(pool)) {
      if (!pool.enter()) return null;
      read.add(pool);
    }
    return pool.slice(post.offset(), post.length());
  }

  private List<TransferStatus> deliver(BlockSink sink, List<BlockDelivery> deliveries) {
    if (deliveries.isEmpty()) return List.of();
    try {
      return sink.deliverAll(deliveries);
    } catch (RuntimeException bug) {
      LOG.error("Blocks from process {} were not taken", writer(), bug);
      return Collections.nCopies(deliveries.size(), TransferStatus.FAILED);
    }
  }

  private void answer(long[] sequences, TransferStatus[] statuses) {
    answered(
        append(
            SharedFrames.ANSWER,
            sequences.length,
            sequences.length * SharedFrames.ANSWER_ENTRY_LENGTH,
            out -> {
              for (int i = 0; i < sequences.length; i++) {
                out.putLong(sequences[i]).putLong(statuses[i].ordinal());
              }
            }));
  }

  private String message(ByteBuffer body) {
    final String agent = Frames.getName(body);
    if (agent == null) return "a message to nobody";
    final BlockSink sink = sinks.apply(agent);
    if (sink == null) counters.count(TransferStatus.UNREACHABLE);
    else sink.receive(MemorySegment.ofBuffer(body));
    return null;
  }

  @Override
  protected void onClosed() {
    onClosed.accept(this);
    closePools();
  }

  private void closePools() {
    for (Integer id : pools.keySet()) {
      final MappedPool pool = pools.remove(id);
      if (pool != null) mapped.release(pool);
    }
  }
}
