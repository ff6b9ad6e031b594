package dev.stator.transport.shared;

import dev.stator.transport.BlockWrite;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferStatus;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The writer's end of a connection to one receiving process. <b>Threads:</b> any. */
final class Outgoing extends Connection {
  private static final Logger LOG = LoggerFactory.getLogger(Outgoing.class);
  private static final TransferStatus[] STATUSES = TransferStatus.values();

  /** A posted block until its answer. */
  private record Pending(BlockWrite write, Staging.Slot slot) {
    void end(TransferStatus status) {
      if (slot != null) slot.free();
      write.complete(status);
    }
  }

  private final FrameCounters counters;
  private final int pendingMax;
  private final int poolsMax;
  private final Consumer<Outgoing> onClosed;
  private final Map<Long, Pending> pending = new ConcurrentHashMap<>();
  private final AtomicLong nextSequence = new AtomicLong();
  private final Map<SharedMemory, Integer> poolIds = new HashMap<>(); // Guarded by itself.
  private int nextPoolId; // Guarded by poolIds.

  /**
   * @param folderName of this process
   * @param onClosed called once
   */
  Outgoing(
      SocketChannel channel,
      SocketLoop loop,
      SharedSettings settings,
      String folderName,
      FrameCounters counters,
      Consumer<Outgoing> onClosed) {
    super(channel, loop);
    this.counters = counters;
    this.pendingMax = settings.peerBlocksMax();
    this.poolsMax = settings.poolsMax();
    this.onClosed = onClosed;
    final byte[] name = folderName.getBytes(StandardCharsets.US_ASCII);
    append(SharedFrames.HELLO, 0, name.length, out -> out.put(name));
  }

  /**
   * Posts a block whose checksum has been taken; it ends with the answer, or this connection.
   *
   * @param slot where it has been staged, {@code null} when it lies in the pool itself
   */
  void post(
      BlockWrite write, SharedMemory pool, MemorySegment block, int checksum, Staging.Slot slot) {
    final Pending posted = new Pending(write, slot);
    final TransferStatus trouble = tryPost(posted, pool, block, checksum);
    if (trouble != null) posted.end(trouble);
  }

  private TransferStatus tryPost(
      Pending posted, SharedMemory pool, MemorySegment block, int checksum) {
    if (pending.size() >= pendingMax) pending.values().removeIf(Outgoing::hasEnded);
    if (pending.size() >= pendingMax) return TransferStatus.BACK_PRESSURED;
    final var grant = posted.write().grant();
    final byte[] agent = grant.agent().agent().getBytes(StandardCharsets.UTF_8);
    final long sequence = nextSequence.getAndIncrement();
    pending.put(sequence, posted);
    final boolean appended;
    synchronized (poolIds) { // A pool's frame precedes its posts.
      final int poolId = poolId(pool);
      final var post =
          new SharedFrames.Post(
              sequence,
              grant.id(),
              grant.keyHigh(),
              grant.keyLow(),
              posted.write().targetBlock(),
              poolId,
              block.address() - pool.segment().address(),
              block.byteSize(),
              checksum);
      appended =
          poolId >= 0
              && appendEntry(
                  SharedFrames.POST,
                  grant.agent().agent(),
                  SharedFrames.NAME_HEADER_LENGTH + agent.length,
                  out -> SharedFrames.putName(out, agent),
                  SharedFrames.POST_ENTRY_LENGTH,
                  post::encode);
    }
    if (appended && !isClosed()) return null;
    if (pending.remove(sequence) == null) return null; // Ended with the connection.
    return isClosed() ? TransferStatus.UNREACHABLE : TransferStatus.BACK_PRESSURED;
  }

  /** Some pending blocks have been given up by their writer; their answer may never come. */
  private static boolean hasEnded(Pending posted) {
    if (!posted.write().hasEnded()) return false;
    if (posted.slot() != null) posted.slot().free();
    return true;
  }

  private int poolId(SharedMemory pool) {
    final Integer known = poolIds.get(pool);
    if (known != null) return known;
    if (poolIds.size() >= poolsMax) return -1;
    final int id = nextPoolId++;
    final byte[] name = pool.file().getFileName().toString().getBytes(StandardCharsets.US_ASCII);
    final boolean appended =
        append(
            SharedFrames.POOL,
            0,
            SharedFrames.POOL_LENGTH,
            out -> out.putInt(id).putInt(0).putLong(pool.segment().byteSize()).put(name));
    if (!appended) return -1;
    poolIds.put(pool, id);
    pool.onClose(() -> forget(pool));
    return id;
  }

  /** Lets the other process unmap a pool that is no more. */
  private void forget(SharedMemory pool) {
    synchronized (poolIds) {
      final Integer id = poolIds.remove(pool);
      if (id == null) return;
      append(
          SharedFrames.POOL_CLOSED,
          0,
          SharedFrames.POOL_CLOSED_LENGTH,
          out -> out.putInt(id).putInt(0));
    }
    flush();
  }

  boolean message(String agent, MemorySegment message) {
    final byte[] name = agent.getBytes(StandardCharsets.UTF_8);
    final int length = (int) message.byteSize();
    final boolean appended =
        append(
            SharedFrames.MESSAGE,
            0,
            SharedFrames.NAME_HEADER_LENGTH + name.length + length,
            out -> {
              SharedFrames.putName(out, name);
              out.put(message.asByteBuffer());
            });
    flush();
    return appended;
  }

  @Override
  String onFrame(byte kind, int count, ByteBuffer body) {
    return switch (kind) {
      case SharedFrames.ANSWER -> answers(count, body);
      case SharedFrames.REFUSED -> refused(body);
      default -> "a frame of kind " + kind;
    };
  }

  private String answers(int count, ByteBuffer body) {
    if (body.remaining() != count * SharedFrames.ANSWER_ENTRY_LENGTH) {
      return count + " answers in " + body.remaining() + " bytes";
    }
    for (int i = 0; i < count; i++) {
      final long sequence = body.getLong();
      final long statusAndUnused = body.getLong();
      final int status = (int) (statusAndUnused & 0xff);
      if (status >= STATUSES.length) return "an answer of status " + status;
      final Pending posted = pending.remove(sequence);
      if (posted == null) counters.count(TransferStatus.UNKNOWN_GRANT);
      else posted.end(STATUSES[status]);
    }
    return null;
  }

  private String refused(ByteBuffer body) {
    final int length = Math.min(body.remaining(), SharedFrames.REASON_LENGTH_MAX);
    LOG.warn("Not connected for shared memory: {}", SharedFrames.getText(body, length));
    close();
    return null;
  }

  @Override
  void onSenseless(String trouble) {
    counters.count(TransferStatus.MALFORMED);
    LOG.warn("Disconnected from a process that sends {}", trouble);
  }

  @Override
  void onClosed() {
    onClosed.accept(this);
    for (Long sequence : pending.keySet()) {
      final Pending posted = pending.remove(sequence);
      if (posted != null) posted.end(TransferStatus.UNREACHABLE);
    }
  }
}
