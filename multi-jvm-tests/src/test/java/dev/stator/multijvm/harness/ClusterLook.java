package dev.stator.multijvm.harness;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.StreamSupport;

/** What tests want to know of an answer of {@code GET /cluster}. */
public final class ClusterLook {
  private ClusterLook() {}

  /** A node's part; a missing node if it is not there. */
  public static JsonNode node(JsonNode cluster, String name) {
    return StreamSupport.stream(cluster.path("nodes").spliterator(), false)
        .filter(node -> node.path("name").asText().equals(name))
        .findFirst()
        .orElse(com.fasterxml.jackson.databind.node.MissingNode.getInstance());
  }

  /** Whether a node is known and serves. */
  public static boolean serves(JsonNode cluster, String name) {
    return node(cluster, name).path("state").asText().equals("serving");
  }

  /** Slots of all nodes. */
  public static int slotCount(JsonNode cluster) {
    int count = 0;
    for (JsonNode node : cluster.path("nodes")) count += node.path("slots").size();
    return count;
  }

  /** Workers that the routers of all models know. */
  public static int routedWorkers(JsonNode cluster) {
    int count = 0;
    for (JsonNode router : cluster.path("routers")) count += router.path("workers").asInt();
    return count;
  }

  /** A figure of all slots together. */
  public static long sumOverSlots(JsonNode cluster, String pointer) {
    long sum = 0;
    for (JsonNode node : cluster.path("nodes")) {
      for (JsonNode slot : node.path("slots")) sum += slot.at(pointer).asLong();
    }
    return sum;
  }

  /**
   * What is still held by something that runs, in words; empty when nothing is. Cached blocks are
   * held by nobody.
   */
  public static String held(JsonNode cluster) {
    final StringBuilder held = new StringBuilder();
    for (JsonNode node : cluster.path("nodes")) {
      final String name = node.path("name").asText();
      note(held, name, "active sessions", node.at("/sessions/active"));
      note(held, name, "open grants", node.at("/transfer/open_grants"));
      note(held, name, "blocks in flight", node.at("/transfer/blocks_in_flight"));
      for (JsonNode slot : node.path("slots")) {
        note(held, name, "running", slot.path("running"));
        note(held, name, "waiting", slot.path("waiting"));
        note(held, name, "used blocks", slot.at("/blocks/used"));
      }
    }
    for (JsonNode router : cluster.path("routers")) {
      note(held, router.path("node").asText(), "booked", router.path("in_flight"));
      note(held, router.path("node").asText(), "pending", router.path("pending"));
    }
    return held.toString();
  }

  private static void note(StringBuilder held, String where, String what, JsonNode count) {
    if (count.asLong() != 0)
      held.append(where).append(": ").append(count).append(' ').append(what).append("; ");
  }
}
