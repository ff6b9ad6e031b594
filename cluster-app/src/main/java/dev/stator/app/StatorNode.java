package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.NodeSummary;
import dev.stator.cli.RunningNode;
import dev.stator.cluster.LocalNode;
import dev.stator.http.HttpServer;
import dev.stator.http.HttpSettings;
import dev.stator.http.ModelCatalog;
import dev.stator.http.ReadinessState;
import dev.stator.metrics.Metrics;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelSummary;
import dev.stator.request.ServedModel;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

  private final ActorSystem<Void> system;
  private final LoadedModel model;
  private final LocalNode actors;
  private final HttpServer http;
  private final NodeSummary summary;
  private final Duration stopTimeout;
  private final AtomicBoolean isClosing = new AtomicBoolean();
  private final CountDownLatch terminated = new CountDownLatch(1);

  private StatorNode(
      ActorSystem<Void> system,
      LoadedModel model,
      LocalNode actors,
      HttpServer http,
      NodeSummary summary,
      Duration stopTimeout) {
    this.system = system;
    this.model = model;
    this.actors = actors;
    this.http = http;
    this.summary = summary;
    this.stopTimeout = stopTimeout;
  }

  /** Takes model and system over: when anything fails they are closed again. */
  static StatorNode start(
      NodeSettings settings, Config config, LoadedModel model, ActorSystem<Void> system) {
    LocalNode actors = null;
    Slots slots = null;
    try {
      slots = Slots.create(settings, model, config);
      final ServedModel served = served(settings, model, slots.contextLength());
      final List<NodeSummary.Slot> slotSummaries = slots.summaries();
      actors = LocalNode.start(system, served, slots.engineSlots());
      final Metrics metrics = new Metrics(System::nanoTime);
      metrics.watch(actors.stats());
      final ReadinessState readiness = new ReadinessState();
      final CompletionStage<HttpServer> binding =
          HttpServer.start(
              system,
              HttpSettings.from(config.getConfig("stator.http")),
              ModelCatalog.of(served),
              actors.generations(),
              metrics,
              readiness);
      await(actors.ready(), config.getDuration("stator.node.start-timeout"));
      final HttpServer http = await(binding, config.getDuration("stator.node.start-timeout"));
      readiness.markReady();
      final NodeSummary summary = summary(settings, model, served, slotSummaries, http.address());
      final Duration stopTimeout = config.getDuration("stator.node.stop-timeout");
      return new StatorNode(system, model, actors, http, summary, stopTimeout);
    } catch (RuntimeException | Error failure) {
      if (actors == null && slots != null) slots.closeDevices();
      final CompletionStage<?> stopped =
          actors == null ? CompletableFuture.completedFuture(null) : actors.stop();
      stopped.whenComplete((done, error) -> system.terminate());
      system.getWhenTerminated().whenComplete((done, error) -> model.close());
      throw failure;
    }
  }

  private static ServedModel served(NodeSettings settings, LoadedModel model, int contextLength) {
    return new ServedModel(
        settings.servedName().orElse(model.name()),
        Instant.now().getEpochSecond(),
        contextLength,
        model.tokenizer(),
        model.chatTemplate(),
        model.defaults());
  }

  private static NodeSummary summary(
      NodeSettings settings,
      LoadedModel model,
      ServedModel served,
      List<NodeSummary.Slot> slots,
      InetSocketAddress address) {
    final ModelSummary what = ModelSummary.of(model, "", List.of());
    final String types =
        what.tensorTypes().stream()
            .max((a, b) -> Long.compare(a.byteCount(), b.byteCount()))
            .map(use -> use.type().name())
            .orElse("");
    return new NodeSummary(
        served.name(),
        model.source(),
        model.format() + " " + types,
        model.config().architecture(),
        what.parameterCount(),
        served.contextLength(),
        slots,
        URI.create("http://" + hostInUri(settings.host()) + ":" + address.getPort()));
  }

  private static String hostInUri(String host) {
    return host.contains(":") ? "[" + host + "]" : host;
  }

  private static <T> T await(CompletionStage<T> stage, Duration timeout) {
    return stage.toCompletableFuture().orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS).join();
  }

  @Override
  public NodeSummary summary() {
    return summary;
  }

  @Override
  public void awaitTermination() throws InterruptedException {
    terminated.await();
  }

  @Override
  public void close() {
    if (isClosing.compareAndSet(false, true)) {
      http.drain()
          .thenCompose(done -> actors.drain())
          .exceptionally(failure -> {
            LOG.warn("The drain failed; what still ran is cut", failure);
            return null;
          })
          .thenAccept(done -> system.terminate());
      system
          .getWhenTerminated()
          .whenComplete((done, failure) -> {
            model.close();
            terminated.countDown();
          });
    }
    awaitStopped();
  }

  private void awaitStopped() {
    try {
      if (!terminated.await(stopTimeout.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("The node has not stopped within {}", stopTimeout);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
