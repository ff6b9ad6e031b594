package dev.stator.http;

import dev.stator.http.ServerParts.Audience;
import dev.stator.model.grammar.GrammarSettings;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;

/** Which paths there are, and who answers. */
final class Endpoints {
  private static final String PROMPT_DISPATCHER = "stator.http.prompt-dispatcher";

  private Endpoints() {}

  static Routes of(
      ActorSystem<?> system,
      HttpSettings settings,
      ServerParts parts,
      RequestGate gate,
      Clock clock,
      RandomGenerator random) {
    JsonBodies json = new JsonBodies(settings.bodyBytesMax(), settings.limits());
    Materializer materializer = SystemMaterializer.get(system).materializer();
    BodyReader bodies = new BodyReader(settings, json, materializer);
    StatusEndpoints status =
        new StatusEndpoints(
            parts.catalog(), parts.readiness(), parts.metrics(), gate, settings.retryAfter());
    Routes routes =
        new Routes(bodies, parts.metrics(), new CorsPolicy(settings.cors()), random)
            .get("/health", exchange -> done(status.health()))
            .get("/live", exchange -> done(status.live()))
            .get("/metrics", exchange -> done(status.metrics(exchange.request())))
            .get("/version", exchange -> done(status.version()));
    if (parts.cluster() != null) {
      ClusterEndpoints cluster = new ClusterEndpoints(parts.cluster(), bodies, settings);
      routes
          .get("/cluster", exchange -> done(cluster.show()))
          .post("/cluster/drain", cluster::drain);
    }
    if (parts.audience() == Audience.CLIENTS) {
      BodyEndpoints endpoints =
          new BodyEndpoints(
              settings,
              parts.readiness(),
              gate,
              bodies,
              executor(system),
              new GenerationRunner(
                  system, settings, parts.generations(), parts.readiness(), parts.metrics()));
      clients(
          routes,
          endpoints,
          status,
          new RequestPreparation(
              parts.catalog(),
              settings.limits(),
              settings.embeddingPooling(),
              GrammarSettings.from(system.settings().config()),
              json,
              clock,
              random),
          settings.limits());
    } else {
      routes.advise("This node does not serve clients; GET /cluster tells which do.");
    }
    return routes;
  }

  private static void clients(
      Routes routes,
      BodyEndpoints endpoints,
      StatusEndpoints status,
      RequestPreparation preparation,
      RequestLimits limits) {
    TokenEndpoints tokens = new TokenEndpoints(preparation, limits);
    routes
        .post("/v1/chat/completions", endpoints.generating(preparation::chat))
        .post("/v1/completions", endpoints.generating(preparation::completion))
        .post("/v1/embeddings", endpoints.generating(preparation::embeddings))
        .post("/tokenize", endpoints.answering(tokens::tokenize))
        .post("/detokenize", endpoints.answering(tokens::detokenize))
        .get("/v1/models", exchange -> done(status.models()))
        .get("/v1/models/{id}", exchange -> done(status.model(Routes.modelName(exchange))));
  }

  private static Executor executor(ActorSystem<?> system) {
    return system.dispatchers().lookup(DispatcherSelector.fromConfig(PROMPT_DISPATCHER));
  }

  private static CompletionStage<HttpResponse> done(HttpResponse response) {
    return CompletableFuture.completedFuture(response);
  }
}
