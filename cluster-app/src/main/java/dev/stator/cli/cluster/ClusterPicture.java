package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.cli.Quantities;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * Draws the answer of {@code GET /cluster} for a terminal.
 *
 * <pre>
 *   NODE        ROLES     STATE    SLOT         PHASE    RUN  WAIT  BLOCKS used, cached   HIT  HTTP
 *   decode-1    decode    serving  decode-1/0   decode     3     0  [##++......]  41/512  62%  http://127.0.0.1:20411
 *   frontend-1  frontend  serving                                                              http://127.0.0.1:8080
 * </pre>
 */
final class ClusterPicture {
  private static final int BAR_LENGTH = 10;
  private static final int DECISIONS_MAX = 3;

  private ClusterPicture() {}

  static String draw(JsonNode view) {
    final StringBuilder text = new StringBuilder();
    text.append(table(view)).append('\n');
    for (JsonNode model : view.path("models")) append(text, "model", model(model));
    for (JsonNode router : view.path("routers")) append(text, "router", router(router));
    append(text, "sessions", sessions(view));
    transfers(view).forEach(line -> append(text, "transfer", line));
    planner(view.path("planner")).forEach(line -> append(text, "planner", line));
    text.append('\n').append("  as ").append(view.path("self").asText()).append(" sees it\n");
    return text.toString();
  }

  private static void append(StringBuilder text, String label, String value) {
    text.append(String.format(Locale.ROOT, "  %-10s%s\n", label, value));
  }

  private static TextTable table(JsonNode view) {
    final TextTable table =
        new TextTable(
            "NODE",
            "ROLES",
            "STATE",
            "SLOT",
            "PHASE",
            ">RUN",
            ">WAIT",
            "BLOCKS used, cached",
            ">HIT",
            "HTTP");
    for (JsonNode node : view.path("nodes")) {
      boolean isFirst = true;
      for (JsonNode slot : node.path("slots")) {
        row(table, node, slot, isFirst);
        isFirst = false;
      }
      if (isFirst) row(table, node, node.path("none"), true);
    }
    return table;
  }

  private static void row(TextTable table, JsonNode node, JsonNode slot, boolean isFirst) {
    table.row(
        isFirst ? node.path("name").asText() : "",
        isFirst ? joined(node.path("roles")) : "",
        isFirst ? state(node) : "",
        slot.path("name").asText(),
        slot.isMissingNode() ? "" : phases(slot.path("roles")),
        slot.path("running").asText(),
        slot.path("waiting").asText(),
        slot.isMissingNode() ? "" : blocks(slot.path("blocks")),
        slot.isMissingNode() ? "" : hitRate(slot.path("prefix_cache")),
        isFirst ? node.path("http").asText("") : "");
  }

  /** A node that has fallen silent says nothing new: for how long is shown. */
  private static String state(JsonNode node) {
    final String state = node.path("state").asText();
    final long silentSeconds = node.path("last_word_ms").asLong() / 1000;
    return state.equals("unreachable") ? "%s %d s".formatted(state, silentSeconds) : state;
  }

  private static String phases(JsonNode roles) {
    return roles.isEmpty() ? "draining" : joined(roles);
  }

  private static String joined(JsonNode words) {
    final StringJoiner joiner = new StringJoiner("+");
    for (JsonNode word : words) joiner.add(word.asText());
    return joiner.toString();
  }

  /** Such as {@code [##++......] 41/512}. */
  private static String blocks(JsonNode blocks) {
    final long total = blocks.path("total").asLong();
    final long used = blocks.path("used").asLong();
    final long cached = blocks.path("cached").asLong();
    if (total <= 0) return "";
    final int usedMarks = marks(used, total);
    final int cachedMarks = Math.min(marks(cached, total), BAR_LENGTH - usedMarks);
    return "[%s%s%s] %d/%d"
        .formatted(
            "#".repeat(usedMarks),
            "+".repeat(cachedMarks),
            ".".repeat(BAR_LENGTH - usedMarks - cachedMarks),
            used + cached,
            total);
  }

  /** What is there at all has a mark. */
  private static int marks(long part, long total) {
    return (int) Math.min(BAR_LENGTH, (part * BAR_LENGTH + total - 1) / total);
  }

  private static String hitRate(JsonNode cache) {
    final long queried = cache.path("queried_tokens").asLong();
    if (queried == 0) return "-";
    return Math.round(100.0 * cache.path("hit_tokens").asLong() / queried) + "%";
  }

  private static String model(JsonNode model) {
    return "%s: %s tokens, on %s"
        .formatted(
            model.path("name").asText(),
            Quantities.grouped(model.path("context_length").asLong()),
            model.path("nodes").isEmpty()
                ? "no node"
                : joined(model.path("nodes")).replace("+", ", "));
  }

  private static String router(JsonNode router) {
    return "%s at %s: %d workers, %d in flight, %d waiting; placed %s, %s with remote prefill; %s blocks indexed"
        .formatted(
            router.path("model").asText(),
            router.path("node").asText(),
            router.path("workers").asInt(),
            router.path("in_flight").asInt(),
            router.path("pending").asInt(),
            Quantities.grouped(
                router.path("placed_local").asLong() + router.path("placed_remote").asLong()),
            Quantities.grouped(router.path("placed_remote").asLong()),
            Quantities.grouped(router.path("indexed_blocks").asLong()));
  }

  private static String sessions(JsonNode view) {
    long active = 0;
    long completed = 0;
    long failed = 0;
    long moves = 0;
    for (JsonNode node : view.path("nodes")) {
      final JsonNode sessions = node.path("sessions");
      active += sessions.path("active").asLong();
      completed += sessions.path("completed").asLong();
      failed += sessions.path("failed").asLong();
      moves += sessions.path("moves").asLong();
    }
    return "%s active, %s completed, %s failed, %s moved to another worker"
        .formatted(
            Quantities.grouped(active),
            Quantities.grouped(completed),
            Quantities.grouped(failed),
            Quantities.grouped(moves));
  }

  /** A line for each node that has sent blocks or knows a way to others. */
  private static List<String> transfers(JsonNode view) {
    final Set<String> known = new HashSet<>();
    for (JsonNode node : view.path("nodes")) known.add(node.path("name").asText());
    final List<String> lines = new ArrayList<>();
    for (JsonNode node : view.path("nodes")) {
      final long sent = node.at("/transfer/sent_bytes").asLong();
      final String ways = ways(node.at("/transfer/routes"), known);
      if (sent == 0 && ways.isEmpty()) continue;
      lines.add(
          node.path("name").asText()
              + " sent "
              + Quantities.bytes(sent)
              + (ways.isEmpty() ? "" : " to " + ways)
              + hidden(node));
    }
    return lines;
  }

  /** Peers by what blocks go to them by; who is no member any more is left out. */
  private static String ways(JsonNode routes, Set<String> known) {
    final Map<String, List<String>> byBackend = new TreeMap<>();
    for (Map.Entry<String, JsonNode> route : routes.properties()) {
      if (!known.contains(route.getKey())) continue;
      byBackend
          .computeIfAbsent(route.getValue().asText(), unknown -> new ArrayList<>())
          .add(route.getKey());
    }
    final StringJoiner ways = new StringJoiner("; ");
    byBackend.forEach((backend, peers) -> ways.add(String.join(", ", peers) + " by " + backend));
    return ways.toString();
  }

  /** How much of the sending went on while more was computed. */
  private static String hidden(JsonNode node) {
    double seconds = 0;
    double exposedSeconds = 0;
    for (JsonNode slot : node.path("slots")) {
      seconds += slot.path("send_seconds").asDouble();
      exposedSeconds += slot.path("exposed_send_seconds").asDouble();
    }
    if (seconds == 0) return "";
    return String.format(
        Locale.ROOT,
        ", in %.3f s, %.0f %% of it hidden behind computing",
        seconds,
        100 * (1 - exposedSeconds / seconds));
  }

  private static List<String> planner(JsonNode planner) {
    final List<String> lines = new ArrayList<>();
    for (JsonNode note : planner.path("decisions")) {
      if (lines.size() == DECISIONS_MAX) break;
      lines.add(
          "%s %s: %s"
              .formatted(
                  note.path("at").asText(),
                  note.path("model").asText(),
                  note.path("decision").asText()));
    }
    return lines;
  }
}
