package dev.stator.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.http.Routes.Endpoint;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/**
 * Endpoints that take a JSON body: each request is admitted by the gate, read, and understood away
 * from the threads that serve others, for a long prompt takes long.
 */
final class BodyEndpoints {
  private final HttpSettings settings;
  private final ReadinessState readiness;
  private final RequestGate gate;
  private final BodyReader bodies;
  private final Executor promptExecutor;
  private final GenerationRunner runner;

  BodyEndpoints(
      HttpSettings settings,
      ReadinessState readiness,
      RequestGate gate,
      BodyReader bodies,
      Executor promptExecutor,
      GenerationRunner runner) {
    this.settings = settings;
    this.readiness = readiness;
    this.gate = gate;
    this.bodies = bodies;
    this.promptExecutor = promptExecutor;
    this.runner = runner;
  }

  /** An endpoint that generates; only while the server is ready. */
  Endpoint generating(Function<ObjectNode, PreparedGeneration> preparation) {
    return exchange -> {
      requireReady(exchange);
      RequestGate.Permit permit = enter(exchange);
      return understood(exchange, preparation)
          .whenComplete((prepared, failure) -> {
            if (failure != null) permit.close();
          })
          .thenCompose(prepared -> runner.run(prepared, exchange, permit));
    };
  }

  /** An endpoint that answers from the body alone. */
  Endpoint answering(Function<ObjectNode, HttpResponse> answer) {
    return exchange -> {
      RequestGate.Permit permit = enter(exchange);
      return understood(exchange, answer).whenComplete((response, failure) -> permit.close());
    };
  }

  private <T> CompletionStage<T> understood(Exchange exchange, Function<ObjectNode, T> function) {
    return bodies
        .read(exchange.request())
        .thenApplyAsync(body -> function.apply(bodies.parse(body)), promptExecutor);
  }

  private void requireReady(Exchange exchange) {
    if (readiness.isReady()) return;
    String message = "The server is %s.".formatted(readiness.phase().label());
    throw refused(exchange, ApiError.unavailable(message, settings.retryAfter()));
  }

  private RequestGate.Permit enter(Exchange exchange) {
    return gate.tryEnter().orElseThrow(() -> refused(exchange, refusal()));
  }

  private ApiException refused(Exchange exchange, ApiError error) {
    bodies.discard(exchange.request());
    return new ApiException(error);
  }

  private ApiError refusal() {
    if (!readiness.isReady()) {
      return ApiError.unavailable("The server is draining.", settings.retryAfter());
    }
    String message =
        "The server's limit of %d requests in progress (stator.http.requests-max) is reached."
            .formatted(gate.max());
    return ApiError.overloaded(message, settings.retryAfter());
  }
}
