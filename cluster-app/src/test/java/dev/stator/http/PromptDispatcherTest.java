package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.text.ChatTemplate;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.ServedModel;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.Test;

/** Prompts that take long hold up other prompts only. */
class PromptDispatcherTest {
  private static final int REQUESTS = 20;
  private static final String CHAT =
      "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":1}";

  /** Renders nothing until it is opened. */
  private static final class ClosedTemplate implements ChatTemplate {
    private final CountDownLatch open = new CountDownLatch(1);

    @Override
    public String source() {
      return "";
    }

    @Override
    public String render(
        List<JsonNode> messages,
        List<JsonNode> tools,
        boolean addGenerationPrompt,
        Map<String, JsonNode> variables) {
      try {
        if (open.await(TestServer.PATIENCE.toSeconds(), TimeUnit.SECONDS)) return "prompt";
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
      throw new IllegalStateException("was never opened");
    }
  }

  @Test
  void shouldServeOthersWhilePromptsAreRendered() {
    ClosedTemplate template = new ClosedTemplate();
    ServedModel model =
        new ServedModel("slow", 0, 100, new ByteTokenizer(false), template, TestServer.NO_DEFAULTS);
    try (TestServer server = TestServer.start("keep-alive-interval = 5ms", new Random(1), model)) {
      server.generations.script(call ->
          Source.single((GenerationEvent) new Delta(0, "x", 1, List.of())).concat(Source.never()));
      RawClient stream = RawClient.connect(server);
      stream.post("/v1/completions", "{\"prompt\":\"Hi\",\"stream\":true}").readUntil("data: ");
      server.generations.answer("Hello");
      List<CompletableFuture<HttpResponse<String>>> chats = new ArrayList<>();
      for (int index = 0; index < REQUESTS; index++) {
        chats.add(
            TestServer.client()
                .sendAsync(
                    HttpRequest.newBuilder(server.uri("/v1/chat/completions"))
                        .POST(BodyPublishers.ofString(CHAT))
                        .build(),
                    BodyHandlers.ofString()));
      }
      assertEquals(200, server.get("/live").statusCode());
      for (int beat = 0; beat < 5; beat++) stream.readUntil(": keep-alive\n\n");
      chats.forEach(chat -> assertFalse(chat.isDone()));
      template.open.countDown();
      chats.forEach(chat -> assertEquals(200, TestServer.await(chat).statusCode()));
      stream.close();
    }
  }
}
