package dev.stator.metrics;

import dev.stator.engine.HostTierLoad;
import dev.stator.protocol.WorkerRole;
import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.StatsBoard;
import dev.stator.worker.TransferFigures;
import dev.stator.worker.WorkerStats;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The node's figures as metrics, read from the board when a scrape comes. Any thread. */
final class NodeCollector implements MultiCollector {
  private final StatsBoard board;

  NodeCollector(StatsBoard board) {
    this.board = board;
  }

  @Override
  public MetricSnapshots collect() {
    SnapshotFamilies families = new SnapshotFamilies();
    for (WorkerStats worker : latestOfEachSlot()) worker(families, worker);
    router(families, board.router());
    sessions(families, board.sessions());
    transfer(families, board.transfer());
    return families.snapshots();
  }

  /** While a slot's engine starts again, two of its lives may be on the board; the later counts. */
  private Collection<WorkerStats> latestOfEachSlot() {
    Map<String, WorkerStats> latest = new LinkedHashMap<>();
    for (WorkerStats worker : board.workers()) latest.put(worker.id().slot(), worker);
    return latest.values();
  }

  private static void worker(SnapshotFamilies to, WorkerStats worker) {
    Labels slot = Labels.of("worker", worker.id().slot());
    var load = worker.load();
    to.gauge("stator_engine_running_sequences", "In the batch.", slot, load.runningSequences());
    to.gauge(
        "stator_engine_waiting_sequences", "Queued or preempted.", slot, load.waitingSequences());
    to.gauge("stator_engine_waiting_tokens", "Still to prefill.", slot, load.waitingTokens());
    to.gauge("stator_engine_batch_tokens", "Of the last step.", slot, worker.lastBatchTokens());
    to.gauge(
        "stator_engine_batch_sequences", "Of the last step.", slot, worker.lastBatchSequences());
    to.gauge("stator_engine_last_step_seconds", "The last step's.", slot, worker.lastStepSeconds());
    to.counter("stator_engine_steps", "Engine steps.", slot, load.steps());
    to.counter("stator_engine_step_seconds", "Spent in steps.", slot, worker.stepSecondsTotal());
    to.counter("stator_engine_computed_tokens", "By all steps.", slot, load.computedTokens());
    to.counter("stator_engine_drafted_tokens", "Guessed next tokens.", slot, load.draftedTokens());
    to.counter(
        "stator_engine_accepted_tokens",
        "Answer tokens that guesses saved a step.",
        slot,
        load.acceptedTokens());
    to.counter("stator_engine_preemptions", "For want of blocks.", slot, load.preemptions());
    blocks(to, worker);
    to.counter(
        "stator_prefix_cache_queried_tokens",
        "Prompt tokens looked up.",
        slot,
        load.prefixQueriedTokens());
    to.counter("stator_prefix_cache_hit_tokens", "Of these, found.", slot, load.prefixHitTokens());
    to.counter("stator_remote_prefills", "Taken.", slot, worker.remotePrefills());
    to.counter(
        "stator_remote_prefill_fallbacks",
        "Remote prefills finished here.",
        slot,
        worker.remotePrefillFallbacks());
    to.counter(
        "stator_transfer_send_seconds",
        "How long blocks of prefills were on their way.",
        slot,
        worker.transferSendSeconds());
    to.counter(
        "stator_transfer_exposed_seconds",
        "Of these, how long no computing hid it.",
        slot,
        worker.transferExposedSeconds());
    for (WorkerRole role : worker.roles()) {
      Labels labels = slot.add("role", role.name().toLowerCase(Locale.ROOT));
      to.gauge("stator_worker_role", "1 for each role a worker has.", labels, 1);
    }
  }

  private static void blocks(SnapshotFamilies to, WorkerStats worker) {
    var load = worker.load();
    Labels slot = Labels.of("worker", worker.id().slot());
    String name = "stator_kv_blocks";
    String help = "KV blocks, by state.";
    int free = load.totalBlocks() - load.usedBlocks() - load.cachedBlocks();
    to.gauge(name, help, slot.add("state", "used"), load.usedBlocks());
    to.gauge(name, help, slot.add("state", "cached"), load.cachedBlocks());
    to.gauge(name, help, slot.add("state", "free"), free);
    to.gauge("stator_kv_block_capacity", "KV blocks of all states.", slot, load.totalBlocks());
    hostBlocks(to, load.hostTier(), slot);
  }

  private static void hostBlocks(SnapshotFamilies to, HostTierLoad tier, Labels slot) {
    if (tier.totalBlocks() == 0) return;
    to.gauge("stator_kv_host_blocks", "KV blocks in host memory.", slot, tier.usedBlocks());
    to.gauge("stator_kv_host_block_capacity", "Room for them.", slot, tier.totalBlocks());
    to.counter("stator_kv_host_stored_blocks", "Copied there.", slot, tier.storedBlocks());
    to.counter("stator_kv_host_loaded_blocks", "Copied back.", slot, tier.loadedBlocks());
    to.counter("stator_kv_host_hits", "Sequences that found some there.", slot, tier.hits());
  }

  private static void router(SnapshotFamilies to, RouterStats router) {
    Labels none = Labels.EMPTY;
    to.gauge("stator_router_workers", "Known and alive.", none, router.workers());
    to.gauge("stator_router_pending_requests", "Wait for a worker.", none, router.pending());
    to.gauge("stator_router_placed_requests", "Placed and not ended.", none, router.inFlight());
    to.gauge(
        "stator_router_indexed_blocks",
        "Pairs of block and worker in the prefix index.",
        none,
        router.indexedBlocks());
    String placements = "stator_router_placements";
    String help = "Requests placed, by where they prefill.";
    to.counter(placements, help, Labels.of("prefill", "local"), router.placedLocal());
    to.counter(placements, help, Labels.of("prefill", "remote"), router.placedRemote());
    to.counter(placements, help, Labels.of("prefill", "pull"), router.placedPull());
    to.counter("stator_router_refusals", "Requests without a place.", none, router.refused());
    to.counter("stator_router_kv_event_gaps", "Holes in event streams.", none, router.kvGaps());
    if (router.rebuildNs() == RouterStats.REBUILDING) return;
    to.gauge(
        "stator_router_rebuild_seconds",
        "From its start until it knew its workers' blocks.",
        none,
        router.rebuildNs() / 1e9);
  }

  private static void sessions(SnapshotFamilies to, SessionStats sessions) {
    Labels none = Labels.EMPTY;
    to.gauge("stator_active_sessions", "Generation sessions.", none, sessions.active());
    to.counter("stator_sessions_started", "Generation sessions.", none, sessions.started());
    to.counter("stator_sessions_refused", "Calls without a session.", none, sessions.refused());
    String ended = "stator_sessions_ended";
    String help = "Generation sessions, by outcome.";
    to.counter(ended, help, Labels.of("outcome", "completed"), sessions.completed());
    to.counter(ended, help, Labels.of("outcome", "cancelled"), sessions.cancelled());
    to.counter(ended, help, Labels.of("outcome", "failed"), sessions.failed());
    to.counter("stator_session_moves", "Sequences gone on elsewhere.", none, sessions.moves());
  }

  private static void transfer(SnapshotFamilies to, TransferFigures transfer) {
    Labels none = Labels.EMPTY;
    to.gauge("stator_transfer_open_grants", "Not ended.", none, transfer.openGrants());
    to.gauge("stator_transfer_blocks_in_flight", "Going out.", none, transfer.blocksInFlight());
    to.counter("stator_transfer_sent_bytes", "Acknowledged.", none, transfer.sentBytes());
    to.counter("stator_transfer_received_bytes", "Verified.", none, transfer.receivedBytes());
    to.counter(
        "stator_transfer_rejected_blocks", "Wrong or late.", none, transfer.rejectedBlocks());
  }
}
