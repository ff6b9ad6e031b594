package dev.stator.metrics;

import dev.stator.worker.StatsBoard;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Labels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A node's metrics, in a registry of its own. Any thread may use it. Labels take few values: models
 * that are served, endpoints that exist.
 */
public final class Metrics {
  /** A scrape's answer. */
  public record Exposition(String contentType, byte[] body) {}

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final ExpositionFormats formats = ExpositionFormats.init();
  private final Counter httpRequests;
  private final RequestMetrics requests;
  private final LongSupplier nanoClock;

  /**
   * @param nanoClock nanoseconds from any origin, never going back
   */
  public Metrics(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.httpRequests =
        Counter.builder()
            .name("stator_http_requests")
            .help("HTTP requests answered, by endpoint and status.")
            .labelNames("endpoint", "status")
            .register(registry);
    this.requests = new RequestMetrics(registry);
  }

  /** From now on, scrapes also tell this node's figures. To be called once. */
  public void watch(StatsBoard board) {
    registry.register(new NodeCollector(board));
  }

  /**
   * From now on, scrapes also tell how many frames between nodes were thrown away. To be called
   * once.
   *
   * @param counts since the start, by reason; of any thread
   */
  public void watchFrameFaults(Supplier<Map<String, Long>> counts) {
    registry.register(
        (MultiCollector)
            () -> {
              final SnapshotFamilies families = new SnapshotFamilies();
              counts
                  .get()
                  .forEach((reason, count) ->
                      families.counter(
                          "stator_transport_frame_faults",
                          "Frames between nodes that were thrown away.",
                          Labels.of("reason", reason),
                          count));
              return families.snapshots();
            });
  }

  /**
   * From now on, scrapes also tell which node of a cluster this is. To be called once.
   *
   * @param roles in words
   */
  public void identify(String node, String roles) {
    Info.builder()
        .name("stator_node")
        .help("The node of the cluster that these figures are of.")
        .labelNames("node", "roles")
        .register(registry)
        .setLabelValues(node, roles);
  }

  /** Nanoseconds from any origin; what a {@link RequestMeter}'s start is given in. */
  public long nanoTime() {
    return nanoClock.getAsLong();
  }

  /**
   * An HTTP request has its answer's status.
   *
   * @param endpoint its path's pattern, never the path itself
   */
  public void answered(String endpoint, int status) {
    httpRequests.labelValues(endpoint, Integer.toString(status)).inc();
  }

  /**
   * A generation has been asked for. It is active until its meter has been told how it ended.
   *
   * @param model a served model's name
   * @param startNanos when the request arrived, by {@link #nanoTime}
   */
  public RequestMeter generation(String model, int choiceCount, long startNanos) {
    return new RequestMeter(requests, model, choiceCount, startNanos, nanoClock);
  }

  /**
   * All metrics as text.
   *
   * @param accept the Accept header; {@code null} for none. OpenMetrics if it asks for that
   */
  public Exposition scrape(String accept) {
    ExpositionFormatWriter writer =
        accept != null && accept.contains("application/openmetrics-text")
            ? formats.getOpenMetricsTextFormatWriter()
            : formats.getPrometheusTextFormatWriter();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try {
      writer.write(body, registry.scrape());
    } catch (IOException impossible) { // The target is memory.
      throw new UncheckedIOException(impossible);
    }
    return new Exposition(writer.getContentType(), body.toByteArray());
  }
}
