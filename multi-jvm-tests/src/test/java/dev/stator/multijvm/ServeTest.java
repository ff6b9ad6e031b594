package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.StatorProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** A server's life: it starts, answers, refuses a second one on its port, and stops when told. */
@Order(0)
class ServeTest {
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldServeTheBundledModelUntilItIsToldToStop() throws Exception {
    try (StatorProcess server = StatorProcess.start(distribution, "serve", "--port", "0");
        HttpClient http = HttpClient.newHttpClient()) {
      final URI address = server.waitUntilReady();
      assertEquals(200, get(http, address.resolve("/health")).statusCode());
      shouldChatInAPipe(address);
      shouldRefuseAPortThatIsTaken(address);
      assertEquals(0, server.stop(), server.toString());
      assertEquals("", server.err().replaceFirst("Draining, up to \\d+ s\\.\\R?", ""));
    }
  }

  private void shouldChatInAPipe(URI address) throws IOException, InterruptedException {
    try (StatorProcess chat =
        StatorProcess.start(
            distribution.launcher(),
            distribution.home(),
            Map.of("STATOR_CACHE", "off"),
            "chat",
            "--url",
            address.toString(),
            "--temperature",
            "0",
            "--max-tokens",
            "24")) {
      chat.type("Tell me a story about a fox.\n/exit\n");
      assertEquals(0, chat.waitForExit(), chat.toString());
      assertFalse(chat.out().isBlank());
      assertEquals("", chat.err());
    }
  }

  private void shouldRefuseAPortThatIsTaken(URI address) throws IOException, InterruptedException {
    final String port = Integer.toString(address.getPort());
    try (StatorProcess second = StatorProcess.start(distribution, "serve", "--port", port)) {
      assertEquals(1, second.waitForExit());
      assertTrue(
          second.err().startsWith("error: cannot listen on 127.0.0.1:" + port), second.err());
      assertEquals(1, second.err().lines().count(), second.err());
    }
  }

  private static HttpResponse<String> get(HttpClient http, URI uri)
      throws IOException, InterruptedException {
    return http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }
}
