package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cli.CommandException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A cluster of this machine as it was begun: enough to start each of its nodes again.
 *
 * @param javaOptions of every node's process
 * @param contacts {@code host:port} of every node, for those that join
 * @param nodes in the order in which they are shown
 */
public record ClusterPlan(
    String name, List<String> javaOptions, List<String> contacts, List<NodePlan> nodes) {
  private static final ObjectMapper JSON = new ObjectMapper();

  public ClusterPlan {
    javaOptions = List.copyOf(javaOptions);
    contacts = List.copyOf(contacts);
    nodes = List.copyOf(nodes);
  }

  /**
   * @throws CommandException when there is no such node; the message names those there are
   */
  public NodePlan node(String nodeName) {
    return find(nodeName)
        .orElseThrow(() ->
            new CommandException(
                "no node '%s' in cluster '%s'; there are %s"
                    .formatted(
                        nodeName,
                        name,
                        nodes.stream().map(NodePlan::name).collect(Collectors.joining(", ")))));
  }

  private Optional<NodePlan> find(String nodeName) {
    return nodes.stream().filter(node -> node.name().equals(nodeName)).findFirst();
  }

  String toJson() {
    final ObjectNode json = JSON.createObjectNode().put("name", name);
    javaOptions.forEach(json.putArray("java_options")::add);
    contacts.forEach(json.putArray("contacts")::add);
    final ArrayNode array = json.putArray("nodes");
    for (NodePlan node : nodes) node.write(array.addObject());
    return json.toPrettyString();
  }

  /**
   * @throws IOException when it is not what {@link #toJson} writes
   */
  static ClusterPlan parse(String text) throws IOException {
    final JsonNode json = JSON.readTree(text);
    final List<NodePlan> nodes = new ArrayList<>();
    for (JsonNode node : json.path("nodes")) nodes.add(NodePlan.read(node));
    if (nodes.isEmpty()) throw new IOException("it names no node");
    return new ClusterPlan(
        json.path("name").asText(),
        texts(json.path("java_options")),
        texts(json.path("contacts")),
        nodes);
  }

  private static List<String> texts(JsonNode array) {
    final List<String> texts = new ArrayList<>();
    for (JsonNode text : array) texts.add(text.asText());
    return texts;
  }
}
