package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;

/** Asks nodes about their cluster over HTTP. Any thread may call it. */
final class ClusterClient implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http;
  private final Duration timeout;

  /**
   * @param timeout of one question, the connection included
   */
  ClusterClient(Duration timeout) {
    this.timeout = timeout;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
  }

  /** A whole answer. */
  record Reply(int status, JsonNode body) {
    /** The server's sentence for an error. */
    String message() {
      return body.path("error").path("message").asText("HTTP " + status);
    }
  }

  /** What a node is asked. */
  interface Question<T> {
    T ask(URI node) throws IOException, InterruptedException;
  }

  /**
   * What the first of these nodes that answers says.
   *
   * @throws IOException when none does, with the last one's reason
   */
  static <T> T firstAnswer(List<URI> nodes, Question<T> question)
      throws IOException, InterruptedException {
    IOException last = new IOException("there is no node to ask");
    for (URI node : nodes) {
      try {
        return question.ask(node);
      } catch (IOException silent) {
        final String reason = silent.getMessage() == null ? "refused" : silent.getMessage();
        last = new IOException("no answer from %s: %s".formatted(node, reason), silent);
      }
    }
    throw last;
  }

  /**
   * The cluster as the node at this address knows it.
   *
   * @throws IOException when it does not answer, or not so
   */
  JsonNode cluster(URI node) throws IOException, InterruptedException {
    final Reply reply = get(node, "/cluster");
    if (reply.status() != 200 || !reply.body().has("nodes")) {
      throw new IOException("%s answers %s".formatted(node.resolve("/cluster"), reply.message()));
    }
    return reply.body();
  }

  Reply get(URI node, String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(node.resolve(path)).timeout(timeout).GET().build());
  }

  Reply drain(URI node, String name) throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(node.resolve("/cluster/drain"))
            .timeout(timeout)
            .header("Content-Type", "application/json")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    JSON.createObjectNode().put("node", name).toString()))
            .build());
  }

  private Reply send(HttpRequest request) throws IOException, InterruptedException {
    final HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
    return new Reply(response.statusCode(), JSON.readTree(response.body()));
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
