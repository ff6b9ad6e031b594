package dev.stator.transport.device;

import dev.stator.transport.LentPool;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.Frames;
import dev.stator.transport.local.Outbox;
import dev.stator.transport.local.PostingConnection;
import dev.stator.transport.local.SocketLoop;
import dev.stator.transport.wire.StatusCodes;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The way to one receiving process: posts blocks, and says of each that was pulled whether it was
 * held until then.
 *
 * <p><b>Threads:</b> any.
 */
final class Outgoing extends PostingConnection<Parcel> {
  private final DeviceIpcSettings settings;
  private final BiConsumer<LentPool, String> onRefused;
  private final Consumer<Outgoing> onClosed;

  // Guarded by pools.
  private final Map<LentPool, Pool> pools = new HashMap<>();
  private final Map<Integer, CompletableFuture<Void>> releases = new HashMap<>(); // Awaited, by id.
  private int nextPoolId;

  /** What the other process knows of. */
  private record Pool(int id, Supplier<CompletableFuture<Void>> forget) {}

  /**
   * @param folderName of this process
   * @param onRefused told of a pool and an agent that does not get at it
   * @param onClosed called once
   */
  Outgoing(
      SocketChannel channel,
      SocketLoop loop,
      DeviceIpcSettings settings,
      String folderName,
      RejectionCounters counters,
      BiConsumer<LentPool, String> onRefused,
      Consumer<Outgoing> onClosed) {
    super(
        0,
        new Outbox<>(1, settings.peerBlocksMax(), settings.windowBytes()),
        channel,
        loop,
        counters);
    this.settings = settings;
    this.onRefused = onRefused;
    this.onClosed = onClosed;
    greet(folderName);
  }

  /**
   * Takes blocks, the first of these that there is room for; all of them when there is nobody to
   * send them to, and they have ended.
   *
   * @return how many
   */
  int offer(List<Parcel> parcels) {
    final int taken = outbox.add(parcels);
    if (taken < 0) {
      for (Parcel parcel : parcels) parcel.end(TransferStatus.UNREACHABLE);
      return parcels.size();
    }
    if (mustPump()) pump(); // On the caller's thread: a post is a few bytes.
    return taken;
  }

  @Override
  protected Ready<Parcel> prepare(List<Parcel> batch) {
    final List<Parcel> parcels = new ArrayList<>(batch.size());
    for (Parcel parcel : batch) {
      if (parcel.isDropped()) outbox.drop(lane, parcel);
      else parcels.add(parcel);
    }
    return new Ready<>(parcels, sequences -> append(parcels, sequences));
  }

  /** Why not, {@code null} when it was appended. */
  private TransferStatus append(List<Parcel> parcels, long[] sequences) {
    final byte[] agent = parcels.getFirst().agent().getBytes(StandardCharsets.UTF_8);
    final int count = parcels.size();
    final int[] poolIds = new int[count];
    synchronized (pools) { // A pool's frame precedes its posts.
      for (int i = 0; i < count; i++) {
        final Pool pool = pool(parcels.get(i).pool());
        if (pool == null) return TransferStatus.UNREACHABLE;
        poolIds[i] = pool.id;
      }
      final boolean appended =
          append(
              DeviceFrames.POST,
              count,
              Frames.NAME_HEADER_LENGTH + agent.length + count * DeviceFrames.POST_ENTRY_LENGTH,
              out -> {
                Frames.putName(out, agent);
                for (int i = 0; i < count; i++) {
                  parcels.get(i).post(sequences[i], poolIds[i]).encode(out);
                }
              });
      if (appended) return null;
      return isClosed() ? TransferStatus.UNREACHABLE : TransferStatus.BACK_PRESSURED;
    }
  }

  /** {@code null} when the other process cannot be told of it. Guarded by pools. */
  private Pool pool(LentPool lent) {
    final Pool known = pools.get(lent);
    if (known != null) return known;
    if (pools.size() >= settings.poolsMax()) return null;
    final Pool pool = new Pool(nextPoolId++, () -> forget(lent));
    final byte[] handle = lent.handle();
    final boolean appended =
        append(
            DeviceFrames.POOL,
            0,
            DeviceFrames.POOL_HEADER_LENGTH + handle.length,
            out -> out.putInt(pool.id).putInt(handle.length).put(handle));
    if (!appended) return null;
    pools.put(lent, pool);
    lent.onClose(pool.forget);
    return pool;
  }

  /** Has the other process let go of a pool that closes; completes when it has, or is too late. */
  private CompletableFuture<Void> forget(LentPool lent) {
    final var released = new CompletableFuture<Void>();
    synchronized (pools) {
      final Pool pool = pools.remove(lent);
      if (pool == null || !appendId(DeviceFrames.POOL_CLOSED, pool.id)) {
        return CompletableFuture.completedFuture(null);
      }
      releases.put(pool.id, released);
    }
    flush();
    return released
        .completeOnTimeout(null, settings.releaseTimeout().toNanos(), TimeUnit.NANOSECONDS)
        .whenComplete((none, late) -> awaitNoMore(released));
  }

  private void awaitNoMore(CompletableFuture<Void> released) {
    synchronized (pools) {
      releases.values().remove(released);
    }
  }

  /** Of pools that the other process is to let go of. */
  int awaitedReleases() {
    synchronized (pools) {
      return releases.size();
    }
  }

  private boolean appendId(byte kind, int poolId) {
    return append(kind, 0, DeviceFrames.POOL_ID_LENGTH, out -> out.putInt(poolId).putInt(0));
  }

  @Override
  protected String onFrame(byte kind, int count, ByteBuffer body) {
    return switch (kind) {
      case DeviceFrames.PULLED -> pulled(count, body);
      case DeviceFrames.ANSWER -> answers(count, body);
      case DeviceFrames.POOL_REFUSED -> poolRefused(body);
      case DeviceFrames.POOL_RELEASED -> poolReleased(body);
      case Frames.REFUSED -> refused(body);
      default -> "a frame of kind " + kind;
    };
  }

  /**
   * The bytes that were pulled are the block's only if its write has not ended by now, as its
   * source may be another's since.
   */
  private String pulled(int count, ByteBuffer body) {
    if (body.remaining() != count * DeviceFrames.PULLED_ENTRY_LENGTH) {
      return count + " pulled in " + body.remaining() + " bytes";
    }
    final boolean appended =
        append(
            DeviceFrames.CONFIRM,
            count,
            count * DeviceFrames.CONFIRM_ENTRY_LENGTH,
            out -> {
              for (int i = 0; i < count; i++) {
                final long sequence = body.getLong();
                out.putLong(sequence).putLong(isHeld(outbox.posted(sequence)) ? 1 : 0);
              }
            });
    if (!appended) close();
    flush();
    return null;
  }

  private static boolean isHeld(Parcel parcel) {
    return parcel != null && !parcel.write().hasEnded();
  }

  private String answers(int count, ByteBuffer body) {
    if (body.remaining() != count * DeviceFrames.ANSWER_ENTRY_LENGTH) {
      return count + " answers in " + body.remaining() + " bytes";
    }
    for (int i = 0; i < count; i++) {
      final long sequence = body.getLong();
      final int code = (int) (body.getLong() & 0xff);
      final TransferStatus status = StatusCodes.decode(code);
      if (status == null) return "an answer of status " + code;
      final Parcel answered = outbox.take(sequence).getFirst();
      if (answered == null) counters.count(TransferStatus.UNKNOWN_GRANT);
      else answered.end(status);
    }
    return null;
  }

  private String poolRefused(ByteBuffer body) {
    final String agent = Frames.getName(body);
    if (agent == null || body.remaining() != DeviceFrames.POOL_ID_LENGTH) return "a pool of nobody";
    final int id = body.getInt();
    final List<LentPool> refused;
    synchronized (pools) {
      refused =
          pools.entrySet().stream()
              .filter(each -> each.getValue().id == id)
              .map(Map.Entry::getKey)
              .toList();
    }
    refused.forEach(pool -> onRefused.accept(pool, agent));
    return null;
  }

  private String poolReleased(ByteBuffer body) {
    if (body.remaining() != DeviceFrames.POOL_ID_LENGTH) return "a pool of the wrong form";
    final CompletableFuture<Void> released;
    synchronized (pools) {
      released = releases.remove(body.getInt());
    }
    if (released != null) released.complete(null);
    return null;
  }

  @Override
  protected void onClosed() {
    final List<CompletableFuture<Void>> awaited;
    synchronized (pools) {
      pools.forEach((lent, pool) -> lent.removeOnClose(pool.forget)); // They outlive connections.
      pools.clear();
      awaited = List.copyOf(releases.values());
      releases.clear();
    }
    awaited.forEach(released -> released.complete(null));
    onClosed.accept(this);
    for (Parcel left : outbox.close()) left.end(TransferStatus.UNREACHABLE);
  }
}
