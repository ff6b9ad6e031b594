package dev.stator.cli.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/**
 * How answers are sampled; what is {@code null} is left to the server.
 *
 * @param system what the model is told first
 */
public record ChatSettings(
    Optional<String> system, Double temperature, Double topP, Integer maxTokens, Long seed) {
  void putInto(ObjectNode body) {
    if (temperature != null) body.put("temperature", temperature);
    if (topP != null) body.put("top_p", topP);
    if (maxTokens != null) body.put("max_tokens", maxTokens);
    if (seed != null) body.put("seed", seed);
  }
}
