package dev.stator.transport.shared;

import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.Connection;
import dev.stator.transport.local.Outbox;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Another process that this one writes to: what waits for it, and lanes that carry it. When one
 * lane breaks, all are closed.
 *
 * <p><b>Threads:</b> any.
 */
final class Peer {
  private static final long CALLERS_BYTES_MAX = 128 * 1024; // Waking a thread takes longer.

  /** Opens the lanes to a process. */
  @FunctionalInterface
  interface Opener {
    List<Lane> open(Outbox<Parcel> outbox, Runnable onClosed);
  }

  private final Outbox<Parcel> outbox;
  private final List<Lane> lanes;
  private final Runnable onClosed;

  /**
   * @param onClosed called for each lane that closes
   */
  Peer(SharedSettings settings, Opener opener, Runnable onClosed) {
    this.outbox =
        new Outbox<>(settings.threads(), settings.peerBlocksMax(), settings.windowBytes());
    this.onClosed = onClosed;
    this.lanes = opener.open(outbox, this::close);
  }

  void start() {
    lanes.forEach(Lane::start);
  }

  boolean isClosed() {
    return lanes.stream().anyMatch(Lane::isClosed);
  }

  /**
   * Takes blocks to send, the first of these that there is room for; all of them when there is
   * nobody to send them to, and they have ended.
   *
   * @return how many
   */
  int offer(List<Parcel> parcels) {
    final int taken = outbox.add(parcels);
    if (taken < 0) {
      for (Parcel parcel : parcels) parcel.end(TransferStatus.UNREACHABLE);
      return parcels.size();
    }
    final long bytes = parcels.stream().mapToLong(Parcel::bytes).sum();
    if (bytes <= CALLERS_BYTES_MAX) pumpOne();
    else pumpAll();
    return taken;
  }

  /** On the caller's thread, by a lane that rests if there is one. */
  private void pumpOne() {
    Lane chosen = lanes.getFirst();
    for (Lane lane : lanes) {
      if (lane.isIdle()) chosen = lane;
    }
    if (chosen.mustPump()) chosen.pump();
  }

  /** On the lanes' own threads. */
  private void pumpAll() {
    for (Lane lane : lanes) {
      if (lane.mustPump()) lane.execute(lane::pump);
    }
  }

  /** Gives up room held by blocks that nobody waits for any more. */
  void dropEnded() {
    outbox.dropEnded();
    pumpAll();
  }

  boolean message(String agent, MemorySegment message) {
    return lanes.getFirst().message(agent, message);
  }

  void close() {
    lanes.forEach(Connection::close);
    onClosed.run();
    for (Parcel left : outbox.close()) left.end(TransferStatus.UNREACHABLE);
  }
}
