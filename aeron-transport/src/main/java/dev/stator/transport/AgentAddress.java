package dev.stator.transport;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Where an agent can be reached. It travels to others over the control plane, within every {@link
 * Grant}.
 *
 * @param agent its name
 * @param host equal for agents under one running kernel; see {@link HostId}
 * @param endpoints what each backend needs to reach it, by the backend's {@link
 *     TransferBackend#name}; opaque to all others
 */
public record AgentAddress(String agent, String host, Map<String, String> endpoints) {
  static final int ENDPOINTS_MAX = 6;
  static final int TEXT_BYTES_MAX = 512; // UTF-8, of each text: an address is part of messages.

  public AgentAddress {
    if (agent.isEmpty()) throw new IllegalArgumentException("an agent needs a name");
    endpoints = Map.copyOf(endpoints);
    if (endpoints.size() > ENDPOINTS_MAX) {
      throw new IllegalArgumentException("more than " + ENDPOINTS_MAX + " endpoints");
    }
    requireShort(agent);
    requireShort(host);
    endpoints.forEach((backend, endpoint) -> {
      requireShort(backend);
      requireShort(endpoint);
    });
  }

  static void requireShort(String text) {
    final int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > TEXT_BYTES_MAX) {
      throw new IllegalArgumentException(
          bytes + " bytes of text where " + TEXT_BYTES_MAX + " are the most: " + text);
    }
  }
}
