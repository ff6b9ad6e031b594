package dev.stator.transport.shared;

import dev.stator.transport.BlockKernels;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.SourceBlocks;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.Frames;
import dev.stator.transport.local.Outbox;
import dev.stator.transport.local.PostingConnection;
import dev.stator.transport.local.SocketLoop;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One of the connections to a receiving process. Its loop's thread takes checksums and posts, and
 * goes on when answers come: while the receiver's thread copies, it sleeps, or prepares the next
 * batch.
 *
 * <p><b>Threads:</b> any.
 */
final class Lane extends PostingConnection<Parcel> {
  private static final Logger LOG = LoggerFactory.getLogger(Lane.class);
  private static final TransferStatus[] STATUSES = TransferStatus.values();

  private final int poolsMax;
  private final BlockKernels kernels;
  private final Runnable onClosed;
  private final Map<SharedMemory, Integer> poolIds = new HashMap<>(); // Guarded by itself.
  private final Map<SharedMemory, Runnable> forgets = new HashMap<>(); // Guarded by poolIds.
  private int nextPoolId; // Guarded by poolIds.

  /**
   * @param number of the outbox's lanes
   * @param folderName of this process
   * @param onClosed called once
   */
  Lane(
      int number,
      Outbox<Parcel> outbox,
      SocketChannel channel,
      SocketLoop loop,
      SharedSettings settings,
      String folderName,
      RejectionCounters counters,
      Runnable onClosed) {
    super(number, outbox, channel, loop, counters);
    this.poolsMax = settings.poolsMax();
    this.kernels = settings.kernels();
    this.onClosed = onClosed;
    greet(folderName);
  }

  boolean isIdle() {
    return outbox.isIdle(lane);
  }

  @Override
  protected Ready<Parcel> prepare(List<Parcel> batch) {
    final List<Parcel> parcels = new ArrayList<>(batch.size());
    final List<Parcel.Sealed> seals = new ArrayList<>(batch.size());
    sealAll(batch, parcels, seals);
    return new Ready<>(parcels, sequences -> append(parcels, seals, sequences));
  }

  /** Adds each block that has not ended to {@code parcels}, and its checksum to {@code seals}. */
  private void sealAll(List<Parcel> batch, List<Parcel> parcels, List<Parcel.Sealed> seals) {
    final List<BlockWrite> writes = new ArrayList<>(batch.size());
    for (Parcel parcel : batch) writes.add(parcel.write());
    try (SourceBlocks sources = SourceBlocks.acquire(writes)) {
      for (int i = 0; i < batch.size(); i++) {
        final Parcel parcel = batch.get(i);
        final Parcel.Sealed seal = seal(parcel, sources, i);
        if (seal == null) {
          outbox.drop(lane, parcel);
          parcel.free();
        } else {
          parcels.add(parcel);
          seals.add(seal);
        }
      }
    }
  }

  /** {@code null} when the block has ended. */
  private Parcel.Sealed seal(Parcel parcel, SourceBlocks sources, int i) {
    try {
      final MemorySegment source = sources.block(i);
      return source == null ? null : parcel.seal(source, kernels);
    } catch (RuntimeException | Error broken) {
      LOG.error("A block could not be read", broken);
      parcel.write().complete(TransferStatus.FAILED);
      return null;
    }
  }

  /** Why not, {@code null} when it was appended. */
  private TransferStatus append(List<Parcel> parcels, List<Parcel.Sealed> seals, long[] sequences) {
    if (tryAppend(parcels, seals, sequences)) return null;
    return isClosed() ? TransferStatus.UNREACHABLE : TransferStatus.BACK_PRESSURED;
  }

  private boolean tryAppend(List<Parcel> parcels, List<Parcel.Sealed> seals, long... sequences) {
    final byte[] agent = parcels.getFirst().agent().getBytes(StandardCharsets.UTF_8);
    final int count = parcels.size();
    final int[] pools = new int[count];
    synchronized (poolIds) { // A pool's frame precedes its posts.
      for (int i = 0; i < count; i++) {
        pools[i] = poolId(parcels.get(i).pool());
        if (pools[i] < 0) return false;
      }
      return append(
          SharedFrames.POST,
          count,
          Frames.NAME_HEADER_LENGTH + agent.length + count * SharedFrames.POST_ENTRY_LENGTH,
          out -> {
            Frames.putName(out, agent);
            for (int i = 0; i < count; i++) {
              post(parcels.get(i), seals.get(i), sequences[i], pools[i]).encode(out);
            }
          });
    }
  }

  private static SharedFrames.Post post(
      Parcel parcel, Parcel.Sealed seal, long sequence, int poolId) {
    final var grant = parcel.write().grant();
    return new SharedFrames.Post(
        sequence,
        grant.id(),
        grant.keyHigh(),
        grant.keyLow(),
        parcel.write().targetBlock(),
        poolId,
        seal.offset(),
        parcel.bytes(),
        seal.checksum());
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
    final Runnable forget = () -> forget(pool);
    forgets.put(pool, forget);
    pool.onClose(forget);
    return id;
  }

  /** Lets the other process unmap a pool that is no more. */
  private void forget(SharedMemory pool) {
    synchronized (poolIds) {
      forgets.remove(pool);
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
            Frames.NAME_HEADER_LENGTH + name.length + length,
            out -> {
              Frames.putName(out, name);
              out.put(message.asByteBuffer());
            });
    flush();
    return appended;
  }

  @Override
  protected String onFrame(byte kind, int count, ByteBuffer body) {
    return switch (kind) {
      case SharedFrames.ANSWER -> answers(count, body);
      case Frames.REFUSED -> refused(body);
      default -> "a frame of kind " + kind;
    };
  }

  private String answers(int count, ByteBuffer body) {
    if (body.remaining() != count * SharedFrames.ANSWER_ENTRY_LENGTH) {
      return count + " answers in " + body.remaining() + " bytes";
    }
    final long[] sequences = new long[count];
    final TransferStatus[] statuses = new TransferStatus[count];
    for (int i = 0; i < count; i++) {
      sequences[i] = body.getLong();
      final int status = (int) (body.getLong() & 0xff);
      if (status >= STATUSES.length) return "an answer of status " + status;
      statuses[i] = STATUSES[status];
    }
    final List<Parcel> answered = outbox.take(sequences);
    for (int i = 0; i < count; i++) {
      if (answered.get(i) == null) counters.count(TransferStatus.UNKNOWN_GRANT);
      else answered.get(i).end(statuses[i]);
    }
    return null;
  }

  @Override
  protected void onClosed() {
    synchronized (poolIds) {
      forgets.forEach(SharedMemory::removeOnClose); // Pools outlive connections.
      forgets.clear();
    }
    onClosed.run();
  }
}
