package dev.stator.cli.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cli.client.Completion;
import dev.stator.cli.client.OpenAiClient;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/** An OpenAI-compatible server. A chunk's time is taken when its line has been read. */
final class HttpEndpoint implements Endpoint {
  private final OpenAiClient client;
  private final EventLoop clock;
  private final BenchSettings settings;
  private final String model;

  HttpEndpoint(OpenAiClient client, EventLoop clock, BenchSettings settings, String model) {
    this.client = client;
    this.clock = clock;
    this.settings = settings;
    this.model = model;
  }

  @Override
  public void send(PlannedRequest request, Consumer<Response> onEnd) {
    final LongStream.Builder chunkNs = LongStream.builder(); // One stream's chunks come in order.
    final CompletableFuture<Completion> completion =
        client.stream(path(), body(request), _ -> chunkNs.add(clock.nowNs()));
    completion.whenComplete((answer, failure) ->
        onEnd.accept(
            new Response(
                failure == null ? chunkNs.build().toArray() : new long[0],
                clock.nowNs(),
                failure == null ? answer.usage() : null,
                failure == null ? null : OpenAiClient.translate(failure))));
  }

  /** Prompt tokens of {@code prompt} as the server counts them; -1 when it does not. */
  int countTokens(String prompt) {
    final ObjectNode body = body(new PlannedRequest(0, 0, prompt, 1));
    final Completion completion = OpenAiClient.join(client.stream(path(), body, _ -> {}));
    return completion.usage() == null ? -1 : completion.usage().promptTokens();
  }

  private String path() {
    return settings.chat() ? OpenAiClient.CHAT_PATH : OpenAiClient.COMPLETIONS_PATH;
  }

  private ObjectNode body(PlannedRequest request) {
    final ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.put("model", model);
    if (settings.chat()) {
      body.putArray("messages").addObject().put("role", "user").put("content", request.prompt());
    } else {
      body.put("prompt", request.prompt());
    }
    body.put("max_tokens", request.outputTokens());
    body.put("temperature", settings.temperature());
    body.put("seed", settings.seed() + request.index());
    if (settings.ignoreEos()) body.put("ignore_eos", true);
    body.put("stream", true);
    body.putObject("stream_options").put("include_usage", true);
    return body;
  }
}
