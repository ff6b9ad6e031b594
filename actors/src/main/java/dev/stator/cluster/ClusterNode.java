package dev.stator.cluster;

import dev.stator.request.Generations;
import dev.stator.request.ServedModel;
import dev.stator.transport.TransferBackend;
import dev.stator.worker.StatsBoard;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;

/**
 * One node of a cluster. Its actor system is configured by {@code ClusterConfig} and ends with the
 * node. Any thread may call it.
 */
public final class ClusterNode implements Node {
  /**
   * What a node takes from outside; a test gives its own.
   *
   * @param backend moves KV blocks; used, not owned
   * @param transferRoutes how blocks go to other nodes' agents, for the view: backend by agent
   * @param keys makes the transfer grants' keys
   * @param choices breaks ties between workers
   */
  public record Surroundings(
      TransferBackend backend,
      Supplier<Map<String, String>> transferRoutes,
      LongSupplier nanoClock,
      RandomGenerator keys,
      RandomGenerator choices) {}

  /**
   * How a node ended.
   *
   * @param expected whether somebody asked for it
   * @param reason one sentence for the operator
   */
  public record Ending(boolean expected, String reason) {}

  /**
   * Starts a node whose blocks move within this process only.
   *
   * @param hosted for nodes with a worker role
   * @param cardReader makes a model from another node's card
   * @throws IllegalArgumentException when identity and model do not fit, or the settings are out of
   *     range
   */
  public static ClusterNode start(
      ActorSystem<?> system,
      NodeIdentity self,
      Optional<HostedModel> hosted,
      Function<byte[], ServedModel> cardReader) {
    throw new UnsupportedOperationException("under construction");
  }

  /** As {@link #start(ActorSystem, NodeIdentity, Optional, Function)} with the transfers given. */
  public static ClusterNode start(
      ActorSystem<?> system,
      NodeIdentity self,
      Optional<HostedModel> hosted,
      Function<byte[], ServedModel> cardReader,
      Surroundings surroundings) {
    throw new UnsupportedOperationException("under construction");
  }

  private ClusterNode() {}

  @Override
  public Generations generations() {
    throw new UnsupportedOperationException("under construction");
  }

  @Override
  public List<ServedModel> models() {
    throw new UnsupportedOperationException("under construction");
  }

  @Override
  public StatsBoard stats() {
    throw new UnsupportedOperationException("under construction");
  }

  @Override
  public LocalNode.State state() {
    throw new UnsupportedOperationException("under construction");
  }

  /** Joined, and the slots are up. */
  @Override
  public CompletionStage<Done> ready() {
    throw new UnsupportedOperationException("under construction");
  }

  /** What {@code GET /cluster} shows; asks nobody. */
  public ClusterView view() {
    throw new UnsupportedOperationException("under construction");
  }

  /** Tells the others where this node's HTTP server listens. */
  public void publishHttpPort(int port) {
    throw new UnsupportedOperationException("under construction");
  }

  /**
   * Drains this node or another. Completes when that node has left the cluster; fails when there is
   * no such node.
   */
  public CompletionStage<Done> drainNode(String name) {
    throw new UnsupportedOperationException("under construction");
  }

  /** Finishes or moves what runs, leaves the cluster, and ends the actor system. */
  @Override
  public CompletionStage<Done> drain() {
    throw new UnsupportedOperationException("under construction");
  }

  /** Leaves the cluster without waiting for what runs, and ends the actor system. */
  @Override
  public CompletionStage<Done> stop() {
    throw new UnsupportedOperationException("under construction");
  }

  /**
   * Completes when node and actor system have ended, whoever wanted it: also when the others took
   * this node for dead, or its name was taken.
   */
  public CompletionStage<Ending> stopped() {
    throw new UnsupportedOperationException("under construction");
  }
}
