package dev.stator.cli.transfer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.transport.AgentAddress;
import dev.stator.transport.Grant;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Lines of JSON between the two processes: a request ({@code do}), an answer ({@code ok}, or {@code
 * error}).
 */
final class PeerMessages {
  static final String OPEN = "open";
  static final String GRANT = "grant";
  static final String CLOSE = "close";
  static final String LISTEN = "listen";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private PeerMessages() {}

  static ObjectNode request(String what) {
    return JSON.createObjectNode().put("do", what);
  }

  static ObjectNode answer() {
    return JSON.createObjectNode().put("ok", true);
  }

  static ObjectNode failure(Throwable why) {
    return JSON.createObjectNode().put("error", why.toString());
  }

  static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException broken) {
      throw new UncheckedIOException("no JSON from the other process: " + line, broken);
    }
  }

  /** Grants of the bench are of the first blocks, in order. */
  static ObjectNode encode(Grant grant) {
    final ObjectNode answer = answer();
    answer.put("agent", grant.agent().agent()).put("host", grant.agent().host());
    final ObjectNode endpoints = answer.putObject("endpoints");
    grant.agent().endpoints().forEach(endpoints::put);
    return answer
        .put("id", grant.id())
        .put("key_high", grant.keyHigh())
        .put("key_low", grant.keyLow())
        .put("blocks", grant.blocks().size())
        .put("block_bytes", grant.geometry().blockBytes())
        .put("life_ms", grant.life().toMillis());
  }

  static Grant decode(JsonNode answer) {
    final Map<String, String> endpoints = new LinkedHashMap<>();
    answer
        .get("endpoints")
        .properties()
        .forEach(e -> endpoints.put(e.getKey(), e.getValue().asText()));
    return new Grant(
        new AgentAddress(answer.get("agent").asText(), answer.get("host").asText(), endpoints),
        answer.get("id").asLong(),
        answer.get("key_high").asLong(),
        answer.get("key_low").asLong(),
        IntStream.range(0, answer.get("blocks").asInt()).boxed().toList(),
        Backends.geometry(answer.get("block_bytes").asInt()),
        Duration.ofMillis(answer.get("life_ms").asLong()));
  }
}
