package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

class MetricsEndpointTest {
  @Test
  void shouldCountWhatItServed() {
    try (TestServer server = TestServer.start()) {
      String body = "{\"model\":\"tiny\",\"prompt\":\"Hi\"}";
      server.post("/v1/completions", body);
      server.post("/v1/completions", "{\"model\":\"tiny\",\"prompt\":\"Hi\",\"stream\":true}");
      server.post("/v1/completions", "{\"model\":\"tiny\"}");
      server.post("/v1/completions", "{\"model\":\"made up\",\"prompt\":\"Hi\"}");
      server.get("/no/such/path/1");
      server.get("/no/such/path/2");
      server.get("/v1/models/tiny");
      HttpResponse<String> response = server.get("/metrics");
      assertEquals(200, response.statusCode());
      assertTrue(
          response
              .headers()
              .firstValue("Content-Type")
              .orElseThrow()
              .startsWith("text/plain; version=0.0.4"),
          response.headers().toString());
      String text = response.body();
      String http = "stator_http_requests_total{endpoint=\"";
      assertTrue(text.contains(http + "/v1/completions\",status=\"200\"} 2.0"), text);
      assertTrue(text.contains(http + "/v1/completions\",status=\"400\"} 1.0"), text);
      assertTrue(text.contains(http + "/v1/completions\",status=\"404\"} 1.0"), text);
      assertTrue(text.contains(http + "/v1/models/{id}\",status=\"200\"} 1.0"), text);
      assertTrue(text.contains(http + "other\",status=\"404\"} 2.0"), text);
      assertTrue(
          text.contains("stator_requests_total{model=\"tiny\",outcome=\"completed\"} 2.0"), text);
      assertTrue(text.contains("stator_active_requests{model=\"tiny\"} 0.0"), text);
      assertTrue(text.contains("stator_generation_tokens_total{model=\"tiny\"} 4.0"), text);
      assertFalse(text.contains("made up"), text);
      assertFalse(text.contains("/no/such"), text);
    }
  }
}
