package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.cluster.ClusterView;
import dev.stator.cluster.ClusterView.ModelView;
import dev.stator.cluster.ClusterView.NodeState;
import dev.stator.cluster.ClusterView.NodeView;
import dev.stator.cluster.ClusterView.PlannerNote;
import dev.stator.cluster.ClusterView.PlannerView;
import dev.stator.cluster.ClusterView.RouterView;
import dev.stator.cluster.NodeRole;
import dev.stator.engine.EngineLoad;
import dev.stator.engine.HostTierLoad;
import dev.stator.protocol.WorkerRole;
import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.TransferFigures;
import dev.stator.worker.WorkerStats;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/** The answer of {@code GET /cluster}. What is not known is {@code null}. */
final class ClusterJson {
  private ClusterJson() {}

  static void write(JsonGenerator json, ClusterView view) throws IOException {
    json.writeStartObject();
    json.writeStringField("self", view.self());
    json.writeArrayFieldStart("nodes");
    for (NodeView node : view.nodes()) node(json, node);
    json.writeEndArray();
    json.writeArrayFieldStart("models");
    for (ModelView model : view.models()) model(json, model);
    json.writeEndArray();
    json.writeArrayFieldStart("routers");
    for (RouterView router : view.routers()) router(json, router);
    json.writeEndArray();
    planner(json, view.planner());
    json.writeEndObject();
  }

  static String label(NodeState state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  private static void node(JsonGenerator json, NodeView node) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", node.name());
    strings(json, "roles", node.roles().stream().sorted().map(NodeRole::text).toList());
    json.writeStringField("state", label(node.state()));
    json.writeStringField("address", node.address());
    json.writeStringField("http", http(node));
    json.writeStringField("model", node.model());
    if (node.ageMillis() < 0) json.writeNullField("last_word_ms");
    else json.writeNumberField("last_word_ms", node.ageMillis());
    json.writeArrayFieldStart("slots");
    for (WorkerStats slot : node.slots()) slot(json, slot);
    json.writeEndArray();
    sessions(json, node.sessions());
    transfer(json, node);
    json.writeEndObject();
  }

  /** The members' host with the HTTP port: what binds all addresses is reachable there. */
  private static String http(NodeView node) {
    final int colon = node.address() == null ? -1 : node.address().lastIndexOf(':');
    if (colon < 0 || node.httpPort() <= 0) return null;
    return "http://" + node.address().substring(0, colon) + ":" + node.httpPort();
  }

  private static void slot(JsonGenerator json, WorkerStats slot) throws IOException {
    final EngineLoad load = slot.load();
    json.writeStartObject();
    json.writeStringField("name", slot.id().slot());
    json.writeNumberField("incarnation", slot.id().incarnation());
    strings(json, "roles", slot.roles().stream().sorted().map(ClusterJson::label).toList());
    json.writeNumberField("running", load.runningSequences());
    json.writeNumberField("waiting", load.waitingSequences());
    json.writeNumberField("waiting_tokens", load.waitingTokens());
    json.writeObjectFieldStart("blocks");
    json.writeNumberField("total", load.totalBlocks());
    json.writeNumberField("used", load.usedBlocks());
    json.writeNumberField("cached", load.cachedBlocks());
    json.writeEndObject();
    if (load.hostTier().totalBlocks() > 0) hostTier(json, load.hostTier());
    json.writeObjectFieldStart("prefix_cache");
    json.writeNumberField("queried_tokens", load.prefixQueriedTokens());
    json.writeNumberField("hit_tokens", load.prefixHitTokens());
    json.writeEndObject();
    json.writeNumberField("steps", load.steps());
    json.writeNumberField("computed_tokens", load.computedTokens());
    json.writeNumberField("drafted_tokens", load.draftedTokens());
    json.writeNumberField("accepted_tokens", load.acceptedTokens());
    json.writeNumberField("preemptions", load.preemptions());
    json.writeNumberField("sent_bytes", slot.transferSentBytes());
    json.writeNumberField("received_bytes", slot.transferReceivedBytes());
    json.writeNumberField("send_seconds", slot.transferSendSeconds());
    json.writeNumberField("exposed_send_seconds", slot.transferExposedSeconds());
    json.writeNumberField("remote_prefills", slot.remotePrefills());
    json.writeNumberField("remote_prefill_fallbacks", slot.remotePrefillFallbacks());
    json.writeEndObject();
  }

  private static void hostTier(JsonGenerator json, HostTierLoad tier) throws IOException {
    json.writeObjectFieldStart("host_blocks");
    json.writeNumberField("total", tier.totalBlocks());
    json.writeNumberField("used", tier.usedBlocks());
    json.writeNumberField("stored", tier.storedBlocks());
    json.writeNumberField("loaded", tier.loadedBlocks());
    json.writeNumberField("hits", tier.hits());
    json.writeEndObject();
  }

  private static String label(WorkerRole role) {
    return role.name().toLowerCase(Locale.ROOT);
  }

  private static void sessions(JsonGenerator json, SessionStats sessions) throws IOException {
    json.writeObjectFieldStart("sessions");
    json.writeNumberField("active", sessions.active());
    json.writeNumberField("started", sessions.started());
    json.writeNumberField("completed", sessions.completed());
    json.writeNumberField("cancelled", sessions.cancelled());
    json.writeNumberField("failed", sessions.failed());
    json.writeNumberField("refused", sessions.refused());
    json.writeNumberField("moves", sessions.moves());
    json.writeEndObject();
  }

  private static void transfer(JsonGenerator json, NodeView node) throws IOException {
    final TransferFigures transfer = node.transfer();
    json.writeObjectFieldStart("transfer");
    json.writeNumberField("open_grants", transfer.openGrants());
    json.writeNumberField("blocks_in_flight", transfer.blocksInFlight());
    json.writeNumberField("sent_bytes", transfer.sentBytes());
    json.writeNumberField("received_bytes", transfer.receivedBytes());
    json.writeNumberField("rejected_blocks", transfer.rejectedBlocks());
    json.writeObjectFieldStart("routes");
    for (var route : new TreeMap<>(node.transferRoutes()).entrySet()) {
      json.writeStringField(route.getKey(), route.getValue());
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void model(JsonGenerator json, ModelView model) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", model.name());
    json.writeNumberField("context_length", model.contextLength());
    strings(json, "nodes", model.nodes());
    json.writeEndObject();
  }

  private static void router(JsonGenerator json, RouterView router) throws IOException {
    final RouterStats stats = router.stats();
    json.writeStartObject();
    json.writeStringField("model", router.model());
    json.writeStringField("node", router.node());
    json.writeNumberField("workers", stats.workers());
    json.writeNumberField("pending", stats.pending());
    json.writeNumberField("in_flight", stats.inFlight());
    json.writeNumberField("indexed_blocks", stats.indexedBlocks());
    json.writeNumberField("placed_local", stats.placedLocal());
    json.writeNumberField("placed_remote", stats.placedRemote());
    json.writeNumberField("placed_pull", stats.placedPull());
    json.writeNumberField("refused", stats.refused());
    json.writeNumberField("kv_gaps", stats.kvGaps());
    if (stats.rebuildNs() == RouterStats.REBUILDING) json.writeNullField("rebuild_seconds");
    else json.writeNumberField("rebuild_seconds", stats.rebuildNs() / 1e9);
    json.writeEndObject();
  }

  private static void planner(JsonGenerator json, PlannerView planner) throws IOException {
    json.writeObjectFieldStart("planner");
    json.writeStringField("node", planner.node());
    json.writeArrayFieldStart("decisions");
    for (PlannerNote note : planner.decisions()) {
      json.writeStartObject();
      json.writeStringField("model", note.model());
      json.writeStringField("at", note.at().toString());
      json.writeBooleanField("move", note.isMove());
      json.writeStringField("decision", note.decision());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void strings(JsonGenerator json, String name, List<String> values)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (String value : values) json.writeString(value);
    json.writeEndArray();
  }
}
