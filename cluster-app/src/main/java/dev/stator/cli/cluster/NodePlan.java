package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * A node as it is to be started, each time.
 *
 * @param name such as {@code decode-1}
 * @param role as {@code --role} takes it
 * @param isFrontend whether clients may ask it
 * @param arguments of {@code stator}
 */
public record NodePlan(String name, String role, boolean isFrontend, List<String> arguments) {
  /** Of {@code stator seed}: members to join rather than begin a cluster, when one answers. */
  static final String PEERS = "--peers";

  public NodePlan {
    arguments = List.copyOf(arguments);
  }

  /** The same for a cluster that begins: nobody is there to be joined, so nobody is waited for. */
  NodePlan alone() {
    final int peers = arguments.indexOf(PEERS);
    if (peers < 0) return this;
    final List<String> words = new ArrayList<>(arguments);
    words.subList(peers, peers + 2).clear();
    return new NodePlan(name, role, isFrontend, words);
  }

  void write(ObjectNode json) {
    json.put("name", name).put("role", role).put("frontend", isFrontend);
    arguments.forEach(json.putArray("arguments")::add);
  }

  static NodePlan read(JsonNode json) {
    final List<String> arguments = new ArrayList<>();
    for (JsonNode word : json.path("arguments")) arguments.add(word.asText());
    return new NodePlan(
        json.path("name").asText(),
        json.path("role").asText(),
        json.path("frontend").asBoolean(),
        arguments);
  }
}
