package dev.stator.app;

import dev.stator.cli.NodeSummary;
import dev.stator.cli.RunningNode;
import dev.stator.cluster.ClusterNode;
import dev.stator.cluster.Node;
import dev.stator.http.HttpServer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node with all its parts. They start from the model outward and stop the other way round:
 *
 * <pre>
 *   model -> devices -> actors -> HTTP      address closed -> streams end -> actors stop, devices close -> model closed
 * </pre>
 *
 * <p><b>Threads:</b> any may call it.
 */
final class StatorNode implements RunningNode {
  private static final Logger LOG = LoggerFactory.getLogger(StatorNode.class);

  /**
   * What it is made of.
   *
   * @param resources closed in the end, when the actors have stopped
   * @param isMember whether the actors end what runs while HTTP goes on showing the cluster; else
   *     HTTP ends its streams, and the actors stop then
   * @param drainTimeout how long what runs may take to end
   * @param stopTimeout how long all of it may take
   */
  record Parts(
      ActorSystem<Void> system,
      Node actors,
      HttpServer http,
      Runnable resources,
      boolean isMember,
      Duration drainTimeout,
      Duration stopTimeout) {}

  private final Parts parts;
  private final NodeSummary summary;
  private final AtomicBoolean isClosing = new AtomicBoolean();
  private final CountDownLatch terminated = new CountDownLatch(1);
  private volatile String failure;

  StatorNode(Parts parts, NodeSummary summary) {
    this.parts = parts;
    this.summary = summary;
    parts
        .system()
        .getWhenTerminated()
        .whenComplete((done, error) -> {
          parts.resources().run();
          terminated.countDown();
        });
  }

  /** Ends with the cluster node, whoever wanted it. */
  static StatorNode ofMember(Parts parts, ClusterNode member, NodeSummary summary) {
    final StatorNode node = new StatorNode(parts, summary);
    member.stopped().thenAccept(node::onEnded);
    return node;
  }

  private void onEnded(ClusterNode.Ending ending) {
    if (!ending.expected()) failure = ending.reason();
    parts.system().terminate();
  }

  static <T> T await(CompletionStage<T> stage, Duration timeout) {
    return stage.toCompletableFuture().orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS).join();
  }

  @Override
  public NodeSummary summary() {
    return summary;
  }

  @Override
  public Duration drainTimeout() {
    return parts.drainTimeout();
  }

  @Override
  public Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  @Override
  public void awaitTermination() throws InterruptedException {
    terminated.await();
  }

  @Override
  public void close() {
    drain();
    awaitStopped();
  }

  /** Begins to drain and stop, once; {@link #awaitTermination} tells when that is done. */
  private void drain() {
    if (!isClosing.compareAndSet(false, true)) return;
    beginDrain()
        .exceptionally(error -> {
          LOG.warn("The drain failed; what still ran is cut", error);
          return null;
        })
        .thenAccept(done -> parts.system().terminate());
  }

  private CompletionStage<?> beginDrain() {
    if (!parts.isMember()) return parts.http().drain().thenCompose(done -> parts.actors().drain());
    parts.http().refuse();
    return parts.actors().drain();
  }

  private void awaitStopped() {
    try {
      if (!terminated.await(parts.stopTimeout().toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("The node has not stopped within {}", parts.stopTimeout());
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
