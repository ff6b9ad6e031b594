package dev.stator.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import dev.stator.cli.ClusterMembership;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.RunningNode;
import dev.stator.testing.TestModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** A whole node on the bundled model, in this process, with a plain HTTP client beside it. */
final class TestNode implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();
  static final String MODEL = "tiny";
  static final String MEMBER = "alone";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final RunningNode node;
  private final HttpClient client = HttpClient.newHttpClient();

  private TestNode(RunningNode node) {
    this.node = node;
  }

  /** A node with small pools on a free port; {@code overrides} are configuration keys. */
  static TestNode start(
      int prefillSlots, int kvBlocks, int threads, Map<String, Object> overrides) {
    return start(prefillSlots, kvBlocks, threads, Optional.empty(), overrides);
  }

  /** A node that is a whole cluster, with the name {@link #MEMBER}. */
  static TestNode startMember(int kvBlocks, Map<String, Object> overrides) {
    final ClusterMembership alone =
        new ClusterMembership(
            MEMBER,
            ClusterMembership.parseRoles("all"),
            "127.0.0.1",
            0,
            true,
            List.of(),
            1,
            Optional.empty());
    return start(0, kvBlocks, 1, Optional.of(alone), overrides);
  }

  private static TestNode start(
      int prefillSlots,
      int kvBlocks,
      int threads,
      Optional<ClusterMembership> cluster,
      Map<String, Object> overrides) {
    final NodeSettings settings =
        new NodeSettings(
            Optional.of(TestModels.bundled()),
            NodeSettings.Engine.CPU,
            Optional.of(MODEL),
            "127.0.0.1",
            0,
            OptionalInt.of(threads),
            OptionalInt.empty(),
            OptionalLong.empty(),
            OptionalInt.of(kvBlocks),
            prefillSlots,
            1,
            cluster,
            ConfigFactory.parseMap(overrides));
    return new TestNode(new StatorNodeStarter().start(settings));
  }

  RunningNode node() {
    return node;
  }

  URI uri(String path) {
    return node.summary().address().resolve(path);
  }

  HttpClient client() {
    return client;
  }

  HttpRequest request(String path, JsonNode body) {
    return HttpRequest.newBuilder(uri(path))
        .timeout(PATIENCE)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
        .build();
  }

  /** A chat completion's answer; fails unless its status is 200. */
  CompletableFuture<JsonNode> chat(JsonNode body) {
    return post("/v1/chat/completions", body);
  }

  /** An answer; fails unless its status is 200. */
  CompletableFuture<JsonNode> post(String path, JsonNode body) {
    return client
        .sendAsync(request(path, body), HttpResponse.BodyHandlers.ofString())
        .thenApply(response -> {
          if (response.statusCode() != 200) throw new AssertionError(response.body());
          return parsed(response.body());
        });
  }

  /** The sum over workers of a metric's samples whose line begins with {@code prefix}. */
  double metric(String prefix) {
    try {
      final HttpRequest scrape = HttpRequest.newBuilder(uri("/metrics")).timeout(PATIENCE).build();
      return client
          .send(scrape, HttpResponse.BodyHandlers.ofString())
          .body()
          .lines()
          .filter(line -> line.startsWith(prefix))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
          .sum();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  /** Scrapes until a metric has a value, for some seconds at most. */
  void awaitMetric(String prefix, double value) {
    final long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    double seen = metric(prefix);
    while (seen != value) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(prefix + " is " + seen + ", expected " + value);
      }
      seen = metric(prefix);
    }
  }

  static JsonNode parsed(String json) {
    try {
      return JSON.readTree(json);
    } catch (IOException broken) {
      throw new UncheckedIOException(json, broken);
    }
  }

  @Override
  public void close() {
    node.close();
    client.close();
  }
}
