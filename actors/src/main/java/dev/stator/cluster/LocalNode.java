package dev.stator.cluster;

import dev.stator.request.Generations;
import dev.stator.request.ServedModel;
import dev.stator.worker.StatsBoard;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;

/**
 * A whole server without its HTTP face: router, workers, cache directory, planner and sessions of
 * one model on one actor system. Any thread may call it.
 */
public final class LocalNode {
  /** Health as the load balancer sees it. */
  public enum State {
    STARTING,
    SERVING,
    DRAINING,
    STOPPED
  }

  /**
   * Starts the actors; the slots' engines are made in the background.
   *
   * @param slots at least one with the decode role
   * @throws IllegalArgumentException when the slots cannot serve, or the settings are out of range
   */
  public static LocalNode start(ActorSystem<?> system, ServedModel model, List<EngineSlot> slots) {
    throw new UnsupportedOperationException();
  }

  private LocalNode() {}

  public Generations generations() {
    throw new UnsupportedOperationException();
  }

  public StatsBoard stats() {
    throw new UnsupportedOperationException();
  }

  public State state() {
    throw new UnsupportedOperationException();
  }

  /** Completes when a decode worker is up; fails when an engine cannot be made at start. */
  public CompletionStage<Done> ready() {
    throw new UnsupportedOperationException();
  }

  /** Refuses new calls as unavailable, finishes what runs, then stops. */
  public CompletionStage<Done> drain() {
    throw new UnsupportedOperationException();
  }

  /** Stops at once; what runs fails as unavailable. */
  public CompletionStage<Done> stop() {
    throw new UnsupportedOperationException();
  }
}
