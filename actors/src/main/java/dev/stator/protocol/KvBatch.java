package dev.stator.protocol;

import dev.stator.kv.KvEvent;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What happened to a worker's full blocks in one step. A reader that finds a hole in the numbers
 * asks {@code worker} for a dump.
 *
 * @param firstSequence number of the first event; the worker counts the events of each tier from 0
 * @param tier where these blocks lie
 */
public record KvBatch(
    WorkerId id,
    long firstSequence,
    KvTier tier,
    List<KvEvent> events,
    ActorRef<WorkerCommand> worker)
    implements RouterCommand, CacheCommand {
  public KvBatch {
    events = List.copyOf(events);
  }

  /** The number that the next batch starts with. */
  public long nextSequence() {
    return firstSequence + events.size();
  }
}
