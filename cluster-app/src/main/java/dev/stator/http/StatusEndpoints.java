package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.metrics.Metrics;
import dev.stator.request.ServedModel;
import java.io.IOException;
import java.time.Duration;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** What can be asked without generating anything. Any thread. */
final class StatusEndpoints {
  private static final String VERSION_WHEN_UNPACKED = "development";

  private final ModelCatalog catalog;
  private final ReadinessState readiness;
  private final Metrics metrics;
  private final RequestGate gate;
  private final Duration retryAfter;

  /**
   * @param retryAfter when those shall ask again that find the server not ready
   */
  StatusEndpoints(
      ModelCatalog catalog,
      ReadinessState readiness,
      Metrics metrics,
      RequestGate gate,
      Duration retryAfter) {
    this.catalog = catalog;
    this.readiness = readiness;
    this.metrics = metrics;
    this.gate = gate;
    this.retryAfter = retryAfter;
  }

  /** {@code GET /health}: whether requests are taken. */
  HttpResponse health() {
    ReadinessState.Phase phase = readiness.phase();
    JsonBodies.Body body =
        json -> {
          json.writeStartObject();
          json.writeStringField("status", phase.label());
          json.writeNumberField("active_requests", gate.count());
          json.writeEndObject();
        };
    return phase == ReadinessState.Phase.READY
        ? Responses.json(body)
        : Responses.retryAfter(Responses.json(503, body), retryAfter);
  }

  /** {@code GET /live}: whether the process answers at all. */
  HttpResponse live() {
    return Responses.json(json -> {
      json.writeStartObject();
      json.writeStringField("status", "live");
      json.writeEndObject();
    });
  }

  /** {@code GET /version}. */
  HttpResponse version() {
    String version = StatusEndpoints.class.getPackage().getImplementationVersion();
    return Responses.json(json -> {
      json.writeStartObject();
      json.writeStringField("version", version == null ? VERSION_WHEN_UNPACKED : version);
      json.writeEndObject();
    });
  }

  /** {@code GET /metrics}: Prometheus text, or OpenMetrics if asked for. */
  HttpResponse metrics(HttpRequest request) {
    String accept = request.getHeader("Accept").map(HttpHeader::value).orElse(null);
    Metrics.Exposition exposition = metrics.scrape(accept);
    ContentType type = ContentTypes.parse(exposition.contentType());
    return HttpResponse.create().withEntity(HttpEntities.create(type, exposition.body()));
  }

  /** {@code GET /v1/models}. */
  HttpResponse models() {
    return Responses.json(json -> {
      json.writeStartObject();
      json.writeStringField("object", "list");
      json.writeArrayFieldStart("data");
      for (ServedModel model : catalog.models()) writeModel(json, model);
      json.writeEndArray();
      json.writeEndObject();
    });
  }

  /** {@code GET /v1/models/{id}}. */
  HttpResponse model(String name) {
    ServedModel model =
        catalog.find(name).orElseThrow(() -> new ApiException(ApiError.modelNotFound(name)));
    return Responses.json(json -> writeModel(json, model));
  }

  private static void writeModel(JsonGenerator json, ServedModel model) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", model.name());
    json.writeStringField("object", "model");
    json.writeNumberField("created", model.created());
    json.writeStringField("owned_by", "stator");
    json.writeNumberField("max_model_len", model.contextLength());
    json.writeEndObject();
  }
}
