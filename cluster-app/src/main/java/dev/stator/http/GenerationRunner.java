package dev.stator.http;

import dev.stator.metrics.Metrics;
import dev.stator.metrics.RequestMeter;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.Generations;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.ActorAttributes;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.StreamSubscriptionTimeoutTerminationMode;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts generations and answers with their events.
 *
 * <p>A stream's status is decided by its first event, or by silence for the keep-alive interval:
 *
 * <pre>
 *   WAITING ──first event is Failed──▶ an error response with its status
 *      │ ├────any other first event──▶ STREAMING (200)
 *      └──────keep-alive interval────▶ STREAMING (200)
 *   STREAMING ──Completed──▶ [DONE], end
 *        └──────Failed, timeout, broken source──▶ error event, end
 * </pre>
 *
 * A client that goes away, in any state and streamed to or not, cancels the generation at once.
 */
final class GenerationRunner {
  private static final Logger LOG = LoggerFactory.getLogger(GenerationRunner.class);

  private static final String CLOSING = "The connection is being closed.";

  /** A generation's stream, cut behind its first event. */
  private record FirstAndRest(GenerationEvent first, Source<GenerationEvent, NotUsed> rest) {
    /** The rest is subscribed to at once, not when the first has been taken. */
    Source<GenerationEvent, NotUsed> joined() {
      return Source.single(first).concat(rest);
    }
  }

  private final ActorSystem<?> system;
  private final HttpSettings settings;
  private final Generations generations;
  private final ReadinessState readiness;
  private final Metrics metrics;
  private final Attributes noSubscriptionTimeout;

  GenerationRunner(
      ActorSystem<?> system,
      HttpSettings settings,
      Generations generations,
      ReadinessState readiness,
      Metrics metrics) {
    this.system = system;
    this.settings = settings;
    this.generations = generations;
    this.readiness = readiness;
    this.metrics = metrics;
    // The tail of a stream waits for its turn on a connection with pipelined requests. What bounds
    // it is the request timeout.
    this.noSubscriptionTimeout =
        ActorAttributes.streamSubscriptionTimeout(
            settings.requestTimeout(), StreamSubscriptionTimeoutTerminationMode.noop());
  }

  /**
   * Starts the generation. The permit is given back when it has ended.
   *
   * @return the response; fails with an {@link ApiException} when there is an error to answer with
   */
  CompletionStage<HttpResponse> run(
      PreparedGeneration prepared, Exchange exchange, RequestGate.Permit permit) {
    LOG.debug("{} runs {}", exchange.id(), prepared.calls().getFirst().requestId());
    RequestMeter meter =
        metrics.generation(prepared.model().name(), prepared.choiceCount(), exchange.startNanos());
    return prepared.stream()
        ? stream(prepared, exchange, meter, permit)
        : whole(prepared, exchange, meter, permit);
  }

  private CompletionStage<HttpResponse> whole(
      PreparedGeneration prepared,
      Exchange exchange,
      RequestMeter meter,
      RequestGate.Permit permit) {
    EventWriter writer = prepared.format().whole();
    Pair<UniqueKillSwitch, CompletionStage<ByteString>> started =
        events(prepared, meter)
            .map(event -> written(writer, event))
            .toMat(Sink.fold(ByteString.emptyByteString(), ByteString::concat), Keep.both())
            .run(system);
    RunningGeneration running =
        new RunningGeneration(exchange.connection(), meter, permit, started.first()).watchClient();
    return started
        .second()
        .thenApply(Responses::json)
        .handle((response, failure) -> answered(response, failure, running))
        .whenComplete((answer, failure) -> running.end());
  }

  private CompletionStage<HttpResponse> stream(
      PreparedGeneration prepared,
      Exchange exchange,
      RequestMeter meter,
      RequestGate.Permit permit) {
    Pair<UniqueKillSwitch, CompletionStage<FirstAndRest>> started =
        events(prepared, meter)
            .prefixAndTail(1)
            .addAttributes(noSubscriptionTimeout)
            .map(pair -> new FirstAndRest(pair.first().getFirst(), pair.second()))
            .toMat(Sink.head(), Keep.both())
            .run(system);
    RunningGeneration running =
        new RunningGeneration(exchange.connection(), meter, permit, started.first()).watchClient();
    return firstOrSilence(started.second())
        .thenApply(first ->
            first
                .map(event -> begun(prepared, event, running))
                .orElseGet(() -> committed(prepared, started.second(), running)))
        .whenComplete((response, failure) -> {
          if (failure != null) running.cancel();
        });
  }

  /** A failure that comes of the client's going away is no failure of the server. */
  private HttpResponse answered(
      HttpResponse response, Throwable failure, RunningGeneration running) {
    if (failure == null) return response;
    if (!running.isClientGone()) throw new CompletionException(failure);
    throw new ApiException(
        readiness.isReady()
            ? ApiError.of(Responses.CLIENT_GONE, "client_gone", CLOSING)
            : ApiError.unavailable(CLOSING, settings.retryAfter()));
  }

  private HttpResponse begun(
      PreparedGeneration prepared, FirstAndRest events, RunningGeneration running) {
    if (events.first() instanceof Failed failed) {
      throw new ApiException(ApiError.of(failed, settings.retryAfter()));
    }
    return Responses.events(chunks(prepared, events.joined(), running));
  }

  /** Status 200 goes out before anything is known but that it takes long. */
  private HttpResponse committed(
      PreparedGeneration prepared, CompletionStage<FirstAndRest> first, RunningGeneration running) {
    Source<GenerationEvent, NotUsed> events =
        Source.completionStageSource(first.thenApply(FirstAndRest::joined))
            .mapMaterializedValue(ignored -> NotUsed.getInstance());
    Source<ByteString, NotUsed> chunks = chunks(prepared, events, running);
    return Responses.events(Source.single(SseBuffer.KEEP_ALIVE).concat(chunks));
  }

  private Source<ByteString, NotUsed> chunks(
      PreparedGeneration prepared,
      Source<GenerationEvent, NotUsed> events,
      RunningGeneration running) {
    EventWriter writer = prepared.format().chunks();
    return events
        .map(event -> written(writer, event))
        .filter(bytes -> !bytes.isEmpty())
        .keepAlive(settings.keepAliveInterval(), () -> SseBuffer.KEEP_ALIVE)
        .watchTermination((notUsed, done) -> {
          done.whenComplete((ok, failure) -> running.cancel());
          return notUsed;
        });
  }

  /** The events up to the one that ends them; every way to end is one of those two. */
  private Source<GenerationEvent, UniqueKillSwitch> events(
      PreparedGeneration prepared, RequestMeter meter) {
    Failed silentEnd =
        new Failed(Failed.Kind.INTERNAL, "The generation broke off without a reason.", null);
    return PromptBatch.generate(generations, prepared.calls())
        .completionTimeout(settings.requestTimeout())
        .viaMat(KillSwitches.single(), Keep.right())
        .recover(new PFBuilder<Throwable, GenerationEvent>().matchAny(this::failed).build())
        .concatLazy(Source.single(silentEnd))
        .takeWhile(event -> !(event instanceof Completed || event instanceof Failed), true)
        .map(event -> {
          meter.observe(event);
          return event;
        });
  }

  private GenerationEvent failed(Throwable failure) {
    if (failure instanceof TimeoutException) {
      String message =
          "The answer took longer than stator.http.request-timeout (%d s)."
              .formatted(settings.requestTimeout().toSeconds());
      return new Failed(Failed.Kind.UNAVAILABLE, message, null);
    }
    if (failure instanceof RunningGeneration.ClientGoneException) {
      return new Failed(Failed.Kind.UNAVAILABLE, CLOSING, null);
    }
    LOG.error("A generation's event stream failed", failure);
    return new Failed(Failed.Kind.INTERNAL, ApiError.internal().message(), null);
  }

  private ByteString written(EventWriter writer, GenerationEvent event) {
    if (event instanceof Failed failed) {
      writer.failed(ApiError.of(failed, settings.retryAfter()));
    } else {
      writer.accept(event);
    }
    return writer.take();
  }

  /** The first event, or nothing when none has come within the keep-alive interval. */
  private CompletionStage<Optional<FirstAndRest>> firstOrSilence(
      CompletionStage<FirstAndRest> first) {
    CompletableFuture<Optional<FirstAndRest>> decided = new CompletableFuture<>();
    Cancellable timer =
        system
            .scheduler()
            .scheduleOnce(
                settings.keepAliveInterval(),
                () -> decided.complete(Optional.empty()),
                system.executionContext());
    first.whenComplete((event, failure) -> {
      timer.cancel();
      if (failure == null) {
        decided.complete(Optional.of(event));
      } else {
        decided.completeExceptionally(failure);
      }
    });
    return decided;
  }
}
