package dev.stator.worker;

import dev.stator.protocol.WorkerId;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The node's latest figures, for whoever shows them: reading asks no actor and waits for nobody.
 *
 * <p><b>Threads:</b> any may read. Each worker's line is written by its engine's thread, the
 * router's and the sessions' by their actors.
 */
public final class StatsBoard {
  private final ConcurrentHashMap<WorkerId, WorkerStats> workers = new ConcurrentHashMap<>();
  private final Supplier<TransferFigures> transfer;
  private volatile RouterStats router = RouterStats.NONE;
  private volatile SessionStats sessions = SessionStats.NONE;

  /**
   * @param transfer reads the transfer layer's counters; called by readers
   */
  public StatsBoard(Supplier<TransferFigures> transfer) {
    this.transfer = transfer;
  }

  /** One snapshot a living worker, by slot. */
  public List<WorkerStats> workers() {
    return workers.values().stream()
        .sorted(
            Comparator.comparing((WorkerStats stats) -> stats.id().slot())
                .thenComparing(stats -> stats.id().incarnation()))
        .toList();
  }

  public RouterStats router() {
    return router;
  }

  public SessionStats sessions() {
    return sessions;
  }

  public TransferFigures transfer() {
    return transfer.get();
  }

  public void publish(WorkerStats stats) {
    workers.put(stats.id(), stats);
  }

  /** The worker is gone. */
  public void remove(WorkerId id) {
    workers.remove(id);
  }

  public void publish(RouterStats stats) {
    router = stats;
  }

  public void publish(SessionStats stats) {
    sessions = stats;
  }
}
