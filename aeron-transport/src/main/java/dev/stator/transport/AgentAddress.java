package dev.stator.transport;

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
  public AgentAddress {
    if (agent.isEmpty()) throw new IllegalArgumentException("an agent needs a name");
    endpoints = Map.copyOf(endpoints);
  }
}
