package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import dev.stator.metrics.Metrics;
import dev.stator.model.GenerationDefaults;
import dev.stator.request.ServedModel;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A real server on a free port over scripted generations, and a client for it. */
final class TestServer implements AutoCloseable {
  static final long CREATED = 1_700_000_000;
  static final int CONTEXT_LENGTH = 200;
  static final Duration PATIENCE = Duration.ofSeconds(20);
  static final ObjectMapper JSON = new ObjectMapper();

  static final GenerationDefaults NO_DEFAULTS =
      new GenerationDefaults(
          Set.of(258), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());

  /** Model "tiny": adds a begin token, has a template. */
  static final ServedModel TINY =
      new ServedModel(
          "tiny",
          CREATED,
          CONTEXT_LENGTH,
          new ByteTokenizer(true),
          new PlainTemplate("<tool_call>"),
          NO_DEFAULTS);

  /** Model "org/base": adds nothing, has no template, has defaults. */
  static final ServedModel BASE =
      new ServedModel(
          "org/base",
          CREATED,
          CONTEXT_LENGTH,
          new ByteTokenizer(false),
          null,
          new GenerationDefaults(
              Set.of(258), OptionalDouble.of(0.6), OptionalDouble.of(0.9), OptionalInt.of(20)));

  /** Shared by all tests of the JVM: it is daemonic, and starting one takes a second. */
  private static final ActorSystem<?> SYSTEM =
      ActorSystem.create(
          Behaviors.empty(),
          "http-test",
          ConfigFactory.parseString("pekko.daemonic = on, pekko.log-dead-letters = off")
              .withFallback(ConfigFactory.load()));

  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  final ScriptedGenerations generations = new ScriptedGenerations();
  final ReadinessState readiness = new ReadinessState();
  final AtomicLong nanoTime = new AtomicLong();
  final HttpServer server;

  private TestServer(String overrides, RandomGenerator random, ServedModel... models) {
    HttpSettings settings =
        HttpSettings.from(
            ConfigFactory.parseString("stator.http { port = 0 }")
                .withFallback(ConfigFactory.parseString("stator.http {" + overrides + "}"))
                .withFallback(ConfigFactory.load())
                .getConfig("stator.http"));
    server =
        await(
            HttpServer.start(
                SYSTEM,
                settings,
                new ServerParts(
                    ServerParts.Audience.CLIENTS,
                    ModelCatalog.of(models),
                    generations,
                    new Metrics(nanoTime::get),
                    readiness,
                    null),
                Clock.fixed(Instant.ofEpochSecond(CREATED), ZoneOffset.UTC),
                random));
  }

  /** Serves both models. */
  static TestServer start() {
    return start("");
  }

  /**
   * Serves both models.
   *
   * @param overrides of keys below {@code stator.http}
   */
  static TestServer start(String overrides) {
    return ready(new TestServer(overrides, new ZeroRandom(), TINY, BASE));
  }

  static TestServer startNotReady() {
    return new TestServer("", new ZeroRandom(), TINY, BASE);
  }

  private static TestServer ready(TestServer server) {
    server.readiness.markReady();
    return server;
  }

  /** Serves one model. */
  static TestServer start(String overrides, RandomGenerator random, ServedModel model) {
    return ready(new TestServer(overrides, random, model));
  }

  static ActorSystem<?> system() {
    return SYSTEM;
  }

  static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (Exception failure) {
      throw new AssertionError("did not complete well", failure);
    }
  }

  int port() {
    return server.address().getPort();
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path);
  }

  HttpResponse<String> post(String path, String body) {
    return send(
        HttpRequest.newBuilder(uri(path))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)));
  }

  HttpResponse<String> get(String path) {
    return send(HttpRequest.newBuilder(uri(path)));
  }

  HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return CLIENT.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
    } catch (IOException | InterruptedException failure) {
      throw new AssertionError("no response", failure);
    }
  }

  /** The client, for what {@link #send} does not cover. */
  static HttpClient client() {
    return CLIENT;
  }

  static JsonNode json(HttpResponse<String> response) {
    return json(response.body());
  }

  static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException failure) {
      throw new AssertionError("not JSON: " + text, failure);
    }
  }

  @Override
  public void close() {
    await(server.stop());
  }

  /** Makes ids predictable: all digits are zero. */
  private static final class ZeroRandom implements RandomGenerator {
    @Override
    public long nextLong() {
      return 0;
    }
  }
}
