package dev.stator.http;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.BidiFlow;
import org.apache.pekko.stream.javadsl.Flow;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The OpenAI-compatible server, bound to its address. Any thread may call it.
 *
 * <p>Its life: {@link #start}, then {@link #drain} (running answers end) or {@link #stop} (they are
 * cut). Or {@link #refuse}, and its end with the actor system.
 */
public final class HttpServer {
  private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);

  /**
   * Requests of one connection that are handled at once. More than one, so that a connection is
   * read while an answer is awaited: that is how a client's going away is seen.
   */
  private static final int PIPELINED_REQUESTS = 2;

  /** What a connection has to flush its last bytes, once nothing is in progress. */
  private static final Duration FLUSH_TIME = Duration.ofSeconds(1);

  private final ServerBinding binding;
  private final SharedKillSwitch connections;
  private final ReadinessState readiness;
  private final RequestGate gate;
  private final Duration drainTimeout;

  private HttpServer(
      ServerBinding binding,
      SharedKillSwitch connections,
      ReadinessState readiness,
      RequestGate gate,
      Duration drainTimeout) {
    this.binding = binding;
    this.connections = connections;
    this.readiness = readiness;
    this.gate = gate;
    this.drainTimeout = drainTimeout;
  }

  /**
   * Loads what the first server of a system needs, so that it can be done beside other work.
   * Servers do without.
   */
  public static void prepare(ActorSystem<?> system) {
    Http.get(system);
    Materializer.matFromSystem(system);
    ServerSettings.create(system.settings().config());
  }

  /** As the longer {@code start}, with time and randomness of this process. */
  public static CompletionStage<HttpServer> start(
      ActorSystem<?> system, HttpSettings settings, ServerParts parts) {
    return start(system, settings, parts, Clock.systemUTC(), new SecureRandom());
  }

  /**
   * Binds the server to its address. Requests for generations are refused until it is ready.
   *
   * @param clock for the answers' {@code created}
   * @param random for ids and for seeds of requests that bring none; safe for any number of threads
   * @return fails when the address cannot be bound
   */
  public static CompletionStage<HttpServer> start(
      ActorSystem<?> system,
      HttpSettings settings,
      ServerParts parts,
      Clock clock,
      RandomGenerator random) {
    RequestGate gate = new RequestGate(settings.requestsMax());
    Routes routes = Endpoints.of(system, settings, parts, gate, clock, random);
    SharedKillSwitch connections = KillSwitches.shared("http-connections");
    return Http.get(system)
        .newServerAt(settings.host(), settings.port())
        .withSettings(serverSettings(system, settings))
        .bindFlow(
            BidiFlow.fromGraph(new IdleStage(settings.connectionIdleTimeout()))
                .join(connectionFlow(routes, connections)))
        .thenApply(binding ->
            new HttpServer(binding, connections, parts.readiness(), gate, settings.drainTimeout()));
  }

  /** Where it listens; with the port that was really bound. */
  public InetSocketAddress address() {
    return binding.localAddress();
  }

  /**
   * Takes no new generations, lets the running ones end, for {@code stator.http.drain-timeout} at
   * most, then closes the address and all connections. {@code /health} says 503 meanwhile.
   */
  public CompletionStage<Done> drain() {
    readiness.startDraining();
    LOG.info("Draining: {} requests in progress", gate.count());
    return gate.close()
        .toCompletableFuture()
        .completeOnTimeout(null, drainTimeout.toMillis(), TimeUnit.MILLISECONDS)
        .thenCompose(idle -> stop());
  }

  /**
   * Takes no new generations, and goes on answering whoever looks: {@code /health} says 503, {@code
   * /cluster} how it goes on.
   */
  public void refuse() {
    readiness.startDraining();
  }

  /** Completes when the last bytes of answers that have ended are out, or soon. */
  public CompletionStage<Done> flush() {
    return gate.close()
        .thenApply(idle -> Done.getInstance())
        .toCompletableFuture()
        .completeOnTimeout(Done.getInstance(), FLUSH_TIME.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Closes the address and all connections; what runs is cut and cancelled. */
  public CompletionStage<Done> stop() {
    readiness.startDraining();
    gate.close();
    connections.shutdown(); // Each ends its side when its last bytes are out.
    return binding.terminate(FLUSH_TIME).thenApply(terminated -> Done.getInstance());
  }

  /** One for each connection; its input ends when the client closes its end. */
  private static Flow<HttpRequest, HttpResponse, ?> connectionFlow(
      Routes routes, SharedKillSwitch connections) {
    return Flow.fromMaterializer((materializer, attributes) -> {
      ClientConnection connection = new ClientConnection();
      return Flow.of(HttpRequest.class)
          .watchTermination((notUsed, done) -> {
            done.whenComplete((ok, failure) -> connection.gone());
            return NotUsed.getInstance();
          })
          .mapAsync(PIPELINED_REQUESTS, request -> routes.handle(request, connection))
          .via(connections.flow());
    });
  }

  private static ServerSettings serverSettings(ActorSystem<?> system, HttpSettings settings) {
    Config overrides =
        ConfigFactory.parseMap(
            Map.of(
                "server-header",
                "stator",
                "default-host-header",
                "stator", // For clients that speak HTTP/1.0.
                "request-timeout",
                "infinite", // The runner has its own.
                "idle-timeout",
                settings.idleTimeout().toMillis() + " ms",
                "max-connections",
                settings.connectionsMax(),
                "parsing.max-content-length",
                settings.bodyBytesMax(),
                "parsing.error-handler",
                ProtocolErrorHandler.class.getName(),
                "parsing.illegal-header-warnings",
                false, // Clients do not fill the log.
                "remote-address-attribute",
                true)); // Admin verbs are for some.
    return ServerSettings.create(
        overrides.atPath("pekko.http.server").withFallback(system.settings().config()));
  }
}
