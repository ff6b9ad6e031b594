package dev.stator.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.engine.EngineLoad;
import dev.stator.engine.FinishReason;
import dev.stator.engine.HostTierLoad;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Usage;
import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.StatsBoard;
import dev.stator.worker.TransferFigures;
import dev.stator.worker.WorkerStats;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private static final long MILLISECOND = 1_000_000;
  private static final String MODEL = "{model=\"tiny\"}";

  private final AtomicLong now = new AtomicLong();
  private final Metrics metrics = new Metrics(now::get);

  @Test
  void shouldMeasureAGeneration() {
    RequestMeter meter = metrics.generation("tiny", 1, metrics.nanoTime());
    assertEquals(1, scrape().value("stator_active_requests" + MODEL));
    pass(200);
    meter.observe(new Delta(0, "a", 1, List.of()));
    pass(30);
    meter.observe(new Delta(0, "bc", 2, List.of()));
    meter.observe(new Finished(0, FinishReason.LENGTH));
    pass(20);
    meter.observe(new Completed(new Usage(10, 3, 8)));
    meter.close();
    ExpositionParser seen = scrape();
    assertEquals(0, seen.value("stator_active_requests" + MODEL));
    assertEquals(1, seen.value("stator_requests_total{model=\"tiny\",outcome=\"completed\"}"));
    assertEquals(1, seen.value("stator_choices_total{finish_reason=\"length\",model=\"tiny\"}"));
    assertEquals(10, seen.value("stator_prompt_tokens_total" + MODEL));
    assertEquals(8, seen.value("stator_cached_prompt_tokens_total" + MODEL));
    assertEquals(3, seen.value("stator_generation_tokens_total" + MODEL));
    assertEquals(0.2, seen.value("stator_time_to_first_token_seconds_sum" + MODEL), 1e-9);
    assertEquals(1, seen.value("stator_time_to_first_token_seconds_count" + MODEL));
    assertEquals(2, seen.value("stator_inter_token_latency_seconds_count" + MODEL));
    assertEquals(0.03, seen.value("stator_inter_token_latency_seconds_sum" + MODEL), 1e-9);
    assertEquals(0.25, seen.value("stator_request_duration_seconds_sum" + MODEL), 1e-9);
    assertEquals(10, seen.value("stator_request_prompt_tokens_sum" + MODEL));
    assertEquals(3, seen.value("stator_request_generation_tokens_sum" + MODEL));
    assertEquals(
        0, seen.value("stator_time_to_first_token_seconds_bucket{model=\"tiny\",le=\"0.1\"}"));
    assertEquals(
        1, seen.value("stator_time_to_first_token_seconds_bucket{model=\"tiny\",le=\"0.25\"}"));
  }

  @Test
  void shouldMeasureEachChoicesLatencyForItself() {
    RequestMeter meter = metrics.generation("tiny", 2, metrics.nanoTime());
    meter.observe(new Delta(0, "a", 1, List.of()));
    pass(5);
    meter.observe(new Delta(1, "A", 1, List.of()));
    pass(5);
    meter.observe(new Delta(0, "b", 1, List.of()));
    meter.close();
    ExpositionParser seen = scrape();
    assertEquals(1, seen.value("stator_inter_token_latency_seconds_count" + MODEL));
    assertEquals(0.01, seen.value("stator_inter_token_latency_seconds_sum" + MODEL), 1e-9);
    assertEquals(1, seen.value("stator_time_to_first_token_seconds_count" + MODEL));
  }

  @Test
  void shouldTellHowRequestsEnd() {
    RequestMeter cancelled = metrics.generation("tiny", 1, metrics.nanoTime());
    cancelled.close();
    cancelled.close();
    cancelled.observe(new Failed(Failed.Kind.INTERNAL, "too late", null));
    RequestMeter failed = metrics.generation("tiny", 1, metrics.nanoTime());
    failed.observe(new Failed(Failed.Kind.INTERNAL, "broken", null));
    failed.close();
    metrics.answered("/v1/completions", 200);
    metrics.answered("/v1/completions", 200);
    metrics.answered("/v1/completions", 429);
    ExpositionParser seen = scrape();
    assertEquals(1, seen.value("stator_requests_total{model=\"tiny\",outcome=\"cancelled\"}"));
    assertEquals(1, seen.value("stator_requests_total{model=\"tiny\",outcome=\"failed\"}"));
    assertEquals(0, seen.value("stator_active_requests" + MODEL));
    String http = "stator_http_requests_total{endpoint=\"/v1/completions\",status=";
    assertEquals(2, seen.value(http + "\"200\"}"));
    assertEquals(1, seen.value(http + "\"429\"}"));
  }

  @Test
  void shouldCountFramesThatWereThrownAwayByReason() throws Exception {
    metrics.watchFrameFaults(() -> Map.of("too_short", 3L));
    assertEquals(3, scrape().value("stator_transport_frame_faults_total{reason=\"too_short\"}"));
  }

  @Test
  void shouldReadTheNodesFiguresAtEachScrape() {
    StatsBoard board = new StatsBoard(() -> new TransferFigures(1, 2, 3, 4, 5));
    metrics.watch(board);
    assertFalse(text().contains("stator_engine_steps_total"));
    board.publish(worker(1, 40));
    board.publish(worker(2, 50));
    board.publish(new RouterStats(1, 2, 3, 4, 5, 6, 9, 7, 8, 250_000_000));
    board.publish(new SessionStats(1, 2, 3, 4, 5, 6, 7));
    ExpositionParser seen = scrape();
    String worker = "{worker=\"engine-0\"}";
    assertEquals(50, seen.value("stator_engine_steps_total" + worker));
    assertEquals(1, seen.value("stator_engine_running_sequences" + worker));
    assertEquals(2, seen.value("stator_engine_waiting_sequences" + worker));
    assertEquals(12, seen.value("stator_engine_batch_tokens" + worker));
    assertEquals(3, seen.value("stator_engine_batch_sequences" + worker));
    assertEquals(2.5, seen.value("stator_engine_step_seconds_total" + worker));
    assertEquals(9, seen.value("stator_engine_preemptions_total" + worker));
    assertEquals(14, seen.value("stator_engine_drafted_tokens_total" + worker));
    assertEquals(13, seen.value("stator_engine_accepted_tokens_total" + worker));
    assertEquals(7, seen.value("stator_prefix_cache_queried_tokens_total" + worker));
    assertEquals(6, seen.value("stator_prefix_cache_hit_tokens_total" + worker));
    assertEquals(3, seen.value("stator_kv_blocks{state=\"used\",worker=\"engine-0\"}"));
    assertEquals(4, seen.value("stator_kv_blocks{state=\"cached\",worker=\"engine-0\"}"));
    assertEquals(93, seen.value("stator_kv_blocks{state=\"free\",worker=\"engine-0\"}"));
    assertEquals(100, seen.value("stator_kv_block_capacity" + worker));
    assertEquals(8, seen.value("stator_kv_host_blocks" + worker));
    assertEquals(16, seen.value("stator_kv_host_block_capacity" + worker));
    assertEquals(9, seen.value("stator_kv_host_stored_blocks_total" + worker));
    assertEquals(4, seen.value("stator_kv_host_loaded_blocks_total" + worker));
    assertEquals(2, seen.value("stator_kv_host_hits_total" + worker));
    assertEquals(1, seen.value("stator_worker_role{role=\"decode\",worker=\"engine-0\"}"));
    assertEquals(6, seen.value("stator_router_placements_total{prefill=\"remote\"}"));
    assertEquals(9, seen.value("stator_router_placements_total{prefill=\"pull\"}"));
    assertEquals(8, seen.value("stator_router_kv_event_gaps_total"));
    assertEquals(0.25, seen.value("stator_router_rebuild_seconds"));
    assertEquals(4, seen.value("stator_transfer_send_seconds_total" + worker));
    assertEquals(1, seen.value("stator_transfer_exposed_seconds_total" + worker));
    assertEquals(7, seen.value("stator_session_moves_total"));
    assertEquals(3, seen.value("stator_transfer_sent_bytes_total"));
    board.remove(new WorkerId("engine-0", 1));
    board.remove(new WorkerId("engine-0", 2));
    assertFalse(text().contains("stator_engine_steps_total"));
  }

  @Test
  void shouldTellWhichNodeItIs() {
    metrics.identify("decode-1", "decode");
    assertEquals(1, scrape().value("stator_node_info{node=\"decode-1\",roles=\"decode\"}"));
  }

  @Test
  void shouldSpeakOpenMetricsWhenAsked() {
    metrics.answered("/live", 200);
    Metrics.Exposition plain = metrics.scrape("text/plain");
    assertTrue(plain.contentType().startsWith("text/plain"), plain.contentType());
    Metrics.Exposition open =
        metrics.scrape("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1");
    assertTrue(open.contentType().startsWith("application/openmetrics-text"), open.contentType());
    assertTrue(new String(open.body(), StandardCharsets.UTF_8).endsWith("# EOF\n"));
  }

  private static WorkerStats worker(long incarnation, long steps) {
    EngineLoad load =
        new EngineLoad(
            1, 2, 3, 4, 100, 5, 7, 6, 9, steps, 11, 14, 13, new HostTierLoad(8, 16, 9, 4, 2));
    return new WorkerStats(
        new WorkerId("engine-0", incarnation),
        Set.of(WorkerRole.DECODE),
        load,
        12,
        3,
        0.5,
        2.5,
        0,
        0,
        1,
        0,
        4,
        1);
  }

  private void pass(long millis) {
    now.addAndGet(millis * MILLISECOND);
  }

  private String text() {
    return new String(metrics.scrape(null).body(), StandardCharsets.UTF_8);
  }

  private ExpositionParser scrape() {
    return ExpositionParser.parse(text());
  }
}
