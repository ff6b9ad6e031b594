package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.NodeSummary;
import dev.stator.cluster.LocalNode;
import dev.stator.http.HttpServer;
import dev.stator.http.HttpSettings;
import dev.stator.http.ModelCatalog;
import dev.stator.http.ReadinessState;
import dev.stator.http.ServerParts;
import dev.stator.metrics.Metrics;
import dev.stator.model.LoadedModel;
import dev.stator.request.ServedModel;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;

/** Puts a node together that is a whole server by itself. */
final class LocalAssembly {
  private LocalAssembly() {}

  /**
   * Takes model and system over: when anything fails they are closed again. The system may start
   * while devices are made.
   */
  static StatorNode start(
      NodeSettings settings,
      Config config,
      LoadedModel model,
      CompletableFuture<ActorSystem<Void>> starting) {
    LocalNode actors = null;
    Slots slots = null;
    try {
      slots = Slots.ofLocalNode(settings, model, config);
      final ActorSystem<Void> system = starting.join();
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
              new ServerParts(
                  ServerParts.Audience.CLIENTS,
                  ModelCatalog.of(served),
                  actors.generations(),
                  metrics,
                  readiness,
                  null));
      final Duration startTimeout = config.getDuration("stator.node.start-timeout");
      StatorNode.await(actors.ready(), startTimeout);
      final HttpServer http = StatorNode.await(binding, startTimeout);
      readiness.markReady();
      return new StatorNode(
          new StatorNode.Parts(
              system,
              actors,
              http,
              model::close,
              false,
              config.getDuration("stator.http.drain-timeout"),
              config.getDuration("stator.node.stop-timeout")),
          new NodeSummary(
              Optional.of(Summaries.model(model, served)),
              slotSummaries,
              Optional.empty(),
              Summaries.address(settings.host(), http.address().getPort())));
    } catch (RuntimeException | Error failure) {
      if (actors == null && slots != null) slots.closeDevices();
      final CompletionStage<?> stopped =
          actors == null ? CompletableFuture.completedFuture(null) : actors.stop();
      terminate(stopped, starting, model::close);
      throw failure;
    }
  }

  /**
   * Ends the system, if it has started or will, once all else has stopped, and then what it used.
   */
  static void terminate(
      CompletionStage<?> stopped,
      CompletableFuture<ActorSystem<Void>> starting,
      Runnable closeResources) {
    stopped
        .handle((done, error) -> starting)
        .thenCompose(system -> system)
        .thenCompose(system -> {
          system.terminate();
          return system.getWhenTerminated();
        })
        .whenComplete((done, error) -> closeResources.run());
  }

  static ServedModel served(NodeSettings settings, LoadedModel model, int contextLength) {
    return new ServedModel(
        settings.servedName().orElse(model.name()),
        Instant.now().getEpochSecond(),
        contextLength,
        model.tokenizer(),
        model.chatTemplate(),
        model.defaults());
  }
}
