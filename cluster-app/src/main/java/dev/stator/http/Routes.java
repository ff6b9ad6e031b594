package dev.stator.http;

import dev.stator.metrics.Metrics;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leads each request to its endpoint, and makes a response of whatever comes back: {@link #handle}
 * never fails. Any thread.
 */
final class Routes {
  private static final Logger LOG = LoggerFactory.getLogger(Routes.class);

  /** Answers one kind of request; may throw or fail with an {@link ApiException}. */
  interface Endpoint {
    CompletionStage<HttpResponse> handle(Exchange exchange);
  }

  /** A path that exists, and the one method that it takes besides OPTIONS. */
  record Route(HttpMethod method, Endpoint endpoint) {
    boolean takes(HttpMethod asked) {
      return asked.equals(method)
          || (asked.equals(HttpMethods.HEAD) && method.equals(HttpMethods.GET));
    }

    String allowed() {
      return method.equals(HttpMethods.GET) ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
    }
  }

  static final String UNKNOWN_ENDPOINT = "other";
  private static final String MODEL_PREFIX = "/v1/models/";
  private static final int MODEL_PREFIX_SEGMENTS = 2;
  private static final String MODEL_PATTERN = "/v1/models/{id}";
  private static final int REQUEST_ID_LENGTH_MAX = 128;

  private final Map<String, Route> routes = new LinkedHashMap<>();
  private String advice = "";
  private final BodyReader bodies;
  private final Metrics metrics;
  private final CorsPolicy cors;
  private final RandomGenerator random;

  Routes(BodyReader bodies, Metrics metrics, CorsPolicy cors, RandomGenerator random) {
    this.bodies = bodies;
    this.metrics = metrics;
    this.cors = cors;
    this.random = random;
  }

  Routes get(String path, Endpoint endpoint) {
    routes.put(path, new Route(HttpMethods.GET, endpoint));
    return this;
  }

  Routes post(String path, Endpoint endpoint) {
    routes.put(path, new Route(HttpMethods.POST, endpoint));
    return this;
  }

  /** Said to those who look for what is not here. */
  Routes advise(String sentence) {
    advice = " " + sentence;
    return this;
  }

  /** Answers a request that came on a connection. */
  CompletionStage<HttpResponse> handle(HttpRequest request, ClientConnection connection) {
    String path = request.getUri().path();
    String pattern = pattern(path);
    Route route = routes.get(pattern);
    String endpoint = route == null ? UNKNOWN_ENDPOINT : pattern;
    Exchange exchange =
        new Exchange(request, connection, requestId(request), endpoint, metrics.nanoTime());
    return dispatched(exchange, route, path)
        .exceptionally(failure -> failed(exchange, failure))
        .thenApply(response -> finished(exchange, response));
  }

  private CompletionStage<HttpResponse> dispatched(Exchange exchange, Route route, String path) {
    HttpMethod method = exchange.request().method();
    boolean readsBody = route != null && route.takes(method) && method.equals(HttpMethods.POST);
    if (!readsBody) bodies.discard(exchange.request());
    try {
      if (route == null) {
        String message = "There is no %s %s.%s".formatted(method.value(), path, advice);
        throw new ApiException(ApiError.of(404, "not_found", message));
      }
      if (method.equals(HttpMethods.OPTIONS)) {
        return CompletableFuture.completedFuture(cors.options(exchange.request(), route));
      }
      if (!route.takes(method)) return CompletableFuture.completedFuture(notAllowed(route, path));
      return route.endpoint().handle(exchange);
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  private static HttpResponse notAllowed(Route route, String path) {
    ApiError error =
        ApiError.of(
            405, "method_not_allowed", "%s takes %s only.".formatted(path, route.method().value()));
    return Responses.error(error).addHeader(RawHeader.create("Allow", route.allowed()));
  }

  private HttpResponse failed(Exchange exchange, Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof ApiException refused) {
      LOG.debug(
          "{} {}: {} {}",
          exchange.id(),
          exchange.endpoint(),
          refused.error().status(),
          refused.error().message());
      return Responses.error(refused.error());
    }
    LOG.error("{} {} failed", exchange.id(), exchange.endpoint(), cause);
    return Responses.error(ApiError.internal());
  }

  private HttpResponse finished(Exchange exchange, HttpResponse response) {
    metrics.answered(exchange.endpoint(), response.status().intValue());
    LOG.debug("{} {}: {}", exchange.id(), exchange.endpoint(), response.status().intValue());
    HttpResponse withId = response.addHeader(RawHeader.create("X-Request-Id", exchange.id()));
    return cors.allow(exchange.request(), withId);
  }

  private static String pattern(String path) {
    return path.startsWith(MODEL_PREFIX) && path.length() > MODEL_PREFIX.length()
        ? MODEL_PATTERN
        : path;
  }

  /** The name at the end of a model's path, decoded; it may have slashes of its own. */
  static String modelName(Exchange exchange) {
    Iterable<String> segments = exchange.request().getUri().pathSegments();
    return StreamSupport.stream(segments.spliterator(), false)
        .skip(MODEL_PREFIX_SEGMENTS)
        .collect(Collectors.joining("/"));
  }

  private String requestId(HttpRequest request) {
    Optional<String> given =
        request
            .getHeader("X-Request-Id")
            .map(header -> header.value().strip())
            .filter(Routes::isUsableId);
    return given.orElseGet(() -> "req-%016x".formatted(random.nextLong()));
  }

  private static boolean isUsableId(String id) {
    return !id.isEmpty()
        && id.length() <= REQUEST_ID_LENGTH_MAX
        && id.chars().allMatch(character -> character > ' ' && character < 0x7F);
  }
}
