package dev.stator.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cluster.ClusterView;
import dev.stator.cluster.ClusterView.NodeView;
import java.net.InetAddress;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Shows the cluster, and drains its nodes. Any thread. */
final class ClusterEndpoints {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterEndpoints.class);
  private static final String JSON_TYPE = "application/json";

  private final ClusterAccess cluster;
  private final BodyReader bodies;
  private final boolean isRemoteAdminAllowed;

  ClusterEndpoints(ClusterAccess cluster, BodyReader bodies, HttpSettings settings) {
    this.cluster = cluster;
    this.bodies = bodies;
    this.isRemoteAdminAllowed = settings.isRemoteAdminAllowed();
  }

  /** {@code GET /cluster}. */
  HttpResponse show() {
    final ClusterView view = cluster.view();
    return Responses.json(json -> ClusterJson.write(json, view));
  }

  /**
   * {@code POST /cluster/drain}: begins to drain the node that the body names; {@code GET /cluster}
   * tells how it goes on.
   */
  CompletionStage<HttpResponse> drain(Exchange exchange) {
    requireAdmin(exchange.request());
    return bodies.read(exchange.request()).thenApply(body -> drain(bodies.parse(body)));
  }

  private HttpResponse drain(ObjectNode body) {
    final String name = JsonFields.of(body, "").requiredText("node");
    final NodeView node =
        cluster.view().nodes().stream()
            .filter(candidate -> candidate.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new ApiException(unknown(name)));
    LOG.info("Asked to drain {}", name);
    cluster
        .drain(name)
        .whenComplete((done, failure) -> {
          if (failure != null) LOG.warn("The drain of {} failed", name, failure);
        });
    return Responses.json(
        202,
        json -> {
          json.writeStartObject();
          json.writeStringField("node", node.name());
          json.writeStringField("state", ClusterJson.label(ClusterView.NodeState.DRAINING));
          json.writeEndObject();
        });
  }

  private ApiError unknown(String name) {
    final String known =
        cluster.view().nodes().stream().map(NodeView::name).collect(Collectors.joining(", "));
    return ApiError.of(
        404,
        "node_not_found",
        "There is no node '%s' in the cluster; there are %s.".formatted(name, known));
  }

  /**
   * Admin verbs come from this machine unless the operator opened them, and never from a page in a
   * browser, which cannot send this content type elsewhere without being asked about it.
   */
  private void requireAdmin(HttpRequest request) {
    final boolean isLocal =
        request
            .getAttribute(AttributeKeys.remoteAddress)
            .flatMap(RemoteAddress::getAddress)
            .map(InetAddress::isLoopbackAddress)
            .orElse(false);
    if (!isLocal && !isRemoteAdminAllowed) {
      throw refused(
          request,
          403,
          "admin_is_local",
          "This is taken from the server's own machine only (stator.http.admin.allow-remote).");
    }
    if (!request.entity().getContentType().mediaType().toString().equals(JSON_TYPE)) {
      throw refused(request, 415, "unsupported_type", "The body must be " + JSON_TYPE + ".");
    }
  }

  private ApiException refused(HttpRequest request, int status, String code, String message) {
    bodies.discard(request);
    return new ApiException(ApiError.of(status, code, message));
  }
}
