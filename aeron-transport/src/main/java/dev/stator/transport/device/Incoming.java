package dev.stator.transport.device;

import dev.stator.transport.BlockPull;
import dev.stator.transport.BlockSink;
import dev.stator.transport.DevicePool;
import dev.stator.transport.PeerPool;
import dev.stator.transport.PulledBlock;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.AcceptedConnection;
import dev.stator.transport.local.Connection;
import dev.stator.transport.local.Frames;
import dev.stator.transport.local.SocketLoop;
import dev.stator.transport.wire.StatusCodes;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The receiver's end of a connection from one writing process.
 *
 * <pre>
 *   a block: POST --pulled--&gt; PULLED, waits --CONFIRM--&gt; ANSWER
 *            POST --refused--&gt; ANSWER
 *            waits --the connection closes--&gt; nothing
 * </pre>
 *
 * <b>Threads:</b> the loop's, pulls and all.
 */
final class Incoming extends AcceptedConnection {
  private static final Logger LOG = LoggerFactory.getLogger(Incoming.class);

  private final int poolsMax;
  private final int waitingMax;
  private final Function<String, BlockSink> sinks;
  private final Consumer<Connection> onClosed;
  private final Map<Integer, PeerPool> pools = new ConcurrentHashMap<>();
  private final Map<Long, PulledBlock> waiting = new ConcurrentHashMap<>(); // By sequence.

  /**
   * @param sinks by agent; {@code null} when there is none
   * @param onClosed called once
   */
  Incoming(
      SocketChannel channel,
      SocketLoop loop,
      DeviceIpcSettings settings,
      RejectionCounters counters,
      Function<String, BlockSink> sinks,
      Consumer<Connection> onClosed) {
    super(channel, loop, counters);
    this.poolsMax = settings.poolsMax();
    this.waitingMax = settings.peerBlocksMax();
    this.sinks = sinks;
    this.onClosed = onClosed;
  }

  @Override
  protected String onGreeted(byte kind, int count, ByteBuffer body) {
    return switch (kind) {
      case DeviceFrames.POOL -> pool(body);
      case DeviceFrames.POOL_CLOSED -> poolClosed(body);
      case DeviceFrames.POST -> posts(count, body);
      case DeviceFrames.CONFIRM -> confirms(count, body);
      default -> "a frame of kind " + kind;
    };
  }

  private String pool(ByteBuffer body) {
    if (body.remaining() < DeviceFrames.POOL_HEADER_LENGTH) return "a pool of the wrong form";
    final int id = body.getInt();
    final int length = body.getInt();
    if (length <= 0 || length > DevicePool.HANDLE_BYTES_MAX || length != body.remaining()) {
      return "a handle of " + length + " bytes in " + body.remaining();
    }
    if (pools.size() >= poolsMax) return "more than " + poolsMax + " pools";
    if (pools.containsKey(id)) return "a pool's number again";
    final byte[] handle = new byte[length];
    body.get(handle);
    pools.put(id, new PeerPool(handle));
    if (isClosed()) letGo();
    return null;
  }

  /** Nothing is being pulled from it, as that would be done here. */
  private String poolClosed(ByteBuffer body) {
    if (body.remaining() != DeviceFrames.POOL_ID_LENGTH) return "a pool of the wrong form";
    final int id = body.getInt();
    final PeerPool pool = pools.remove(id);
    if (pool != null) pool.close();
    answered(
        append(
            DeviceFrames.POOL_RELEASED,
            0,
            DeviceFrames.POOL_ID_LENGTH,
            out -> out.putInt(id).putInt(0)));
    return null;
  }

  private String posts(int count, ByteBuffer body) {
    final String agent = Frames.getName(body);
    if (agent == null || body.remaining() != count * DeviceFrames.POST_ENTRY_LENGTH) {
      return count + " posts in " + body.remaining() + " bytes";
    }
    final Map<Integer, List<DeviceFrames.Post>> byPool = new LinkedHashMap<>();
    final Map<Long, TransferStatus> ends = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      final DeviceFrames.Post post = DeviceFrames.Post.decode(body);
      final boolean isKnown = waiting.containsKey(post.sequence());
      if (isKnown || ends.put(post.sequence(), TransferStatus.FAILED) != null) {
        return "a block's number again";
      }
      byPool.computeIfAbsent(post.poolId(), id -> new ArrayList<>()).add(post);
    }
    byPool.forEach((poolId, posts) -> pull(agent, poolId, posts, ends));
    answer(ends);
    return null;
  }

  /**
   * @param ends by sequence; how each ended, {@code null} for those that wait
   */
  private void pull(
      String agent, int poolId, List<DeviceFrames.Post> posts, Map<Long, TransferStatus> ends) {
    final BlockSink sink = sinks.apply(agent);
    final PeerPool pool = pools.get(poolId);
    final TransferStatus trouble = trouble(sink, pool, posts.size());
    if (trouble != null) {
      for (DeviceFrames.Post post : posts) ends.put(post.sequence(), counters.count(trouble));
      return;
    }
    final List<PulledBlock> pulled = pullAll(sink, pool, posts);
    boolean isRefused = false;
    for (int i = 0; i < pulled.size(); i++) {
      final TransferStatus end = pulled.get(i).ended();
      if (end == null) waiting.put(posts.get(i).sequence(), pulled.get(i));
      ends.put(posts.get(i).sequence(), end);
      isRefused |= end == TransferStatus.UNREACHABLE;
    }
    if (isRefused) refusePool(agent, poolId);
    if (isClosed()) letGo();
  }

  private TransferStatus trouble(BlockSink sink, PeerPool pool, int count) {
    if (sink == null) return TransferStatus.UNREACHABLE;
    if (pool == null) return TransferStatus.OUT_OF_RANGE;
    return waiting.size() + count > waitingMax ? TransferStatus.BACK_PRESSURED : null;
  }

  /** None when the sink is broken. */
  private List<PulledBlock> pullAll(BlockSink sink, PeerPool pool, List<DeviceFrames.Post> posts) {
    final List<BlockPull> pulls = posts.stream().map(DeviceFrames.Post::pull).toList();
    try {
      return sink.pullAll(pool, pulls);
    } catch (RuntimeException bug) {
      LOG.error("Blocks from process {} were not taken", writer(), bug);
      return List.of();
    }
  }

  private void refusePool(String agent, int poolId) {
    final byte[] name = agent.getBytes(StandardCharsets.UTF_8);
    answered(
        append(
            DeviceFrames.POOL_REFUSED,
            0,
            Frames.NAME_HEADER_LENGTH + name.length + DeviceFrames.POOL_ID_LENGTH,
            out -> {
              Frames.putName(out, name);
              out.putInt(poolId).putInt(0);
            }));
  }

  /**
   * @param ends by sequence; of those without one it is said that they have been pulled
   */
  private void answer(Map<Long, TransferStatus> ends) {
    final List<Long> pulled =
        ends.keySet().stream().filter(each -> ends.get(each) == null).toList();
    ends.keySet().removeAll(pulled);
    if (!ends.isEmpty()) {
      answered(
          append(
              DeviceFrames.ANSWER,
              ends.size(),
              ends.size() * DeviceFrames.ANSWER_ENTRY_LENGTH,
              out ->
                  ends.forEach((sequence, status) ->
                      out.putLong(sequence).putLong(StatusCodes.encode(status)))));
    }
    if (!pulled.isEmpty()) {
      answered(
          append(
              DeviceFrames.PULLED,
              pulled.size(),
              pulled.size() * DeviceFrames.PULLED_ENTRY_LENGTH,
              out -> pulled.forEach(out::putLong)));
    }
  }

  private String confirms(int count, ByteBuffer body) {
    if (body.remaining() != count * DeviceFrames.CONFIRM_ENTRY_LENGTH) {
      return count + " confirmed in " + body.remaining() + " bytes";
    }
    final Map<Long, TransferStatus> ends = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      final long sequence = body.getLong();
      final boolean wasHeld = (body.getLong() & 0xff) == 1;
      final PulledBlock block = waiting.remove(sequence);
      ends.put(sequence, end(block, wasHeld));
    }
    answer(ends);
    return null;
  }

  private TransferStatus end(PulledBlock block, boolean wasHeld) {
    if (block == null) return counters.count(TransferStatus.UNKNOWN_GRANT);
    if (wasHeld) return block.confirm();
    block.abandon();
    return TransferStatus.CANCELLED;
  }

  @Override
  protected void onClosed() {
    onClosed.accept(this);
    letGo();
  }

  /** Nothing that waits will be confirmed. */
  private void letGo() {
    for (Long sequence : waiting.keySet()) {
      final PulledBlock block = waiting.remove(sequence);
      if (block != null) block.abandon();
    }
    for (Integer id : pools.keySet()) {
      final PeerPool pool = pools.remove(id);
      if (pool != null) pool.close();
    }
  }
}
