package dev.stator.http;

import dev.stator.engine.FinishReason;
import dev.stator.model.GenerationDefaults;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Embedded;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Usage;
import dev.stator.request.ServedModel;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.Test;

/** The official OpenAI client, over real HTTP, with an engine that follows a script. */
class OpenAiClientTest {
  private static final ServedModel MODEL =
      new ServedModel(
          "org/tiny",
          TestServer.CREATED,
          100_000,
          new ByteTokenizer(true),
          new PlainTemplate("<tool_call>"),
          new GenerationDefaults(
              Set.of(258), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty()));
  private static final String[] COUNT = {"one", " two", " three", " four", " five"};
  private static final String[] CALL = {
    "<tool",
    "_call>\n{\"name\": \"get_",
    "weather\", \"arguments\": {\"ci",
    "ty\": \"Paris\"}}",
    "\n</tool_call>"
  };

  private final AtomicInteger overloads = new AtomicInteger();

  @Test
  void shouldSatisfyTheOfficialClient() {
    OpenAiClient client = OpenAiClient.install();
    try (TestServer server = TestServer.start("", new Random(1), MODEL)) {
      server.generations.script(this::answer);
      client.drive(server.uri(""), MODEL.name(), "--scripted");
    }
  }

  private Source<GenerationEvent, NotUsed> answer(GenerationCall call) {
    if (call.pooling() != null) return embedding(call);
    String prompt = MODEL.tokenizer().decode(call.promptTokens(), false);
    if (prompt.contains("break")) {
      return Source.from(
          List.of(
              new Delta(0, "one", 1, List.of()),
              new Failed(Failed.Kind.INTERNAL, "Broken on purpose.", null)));
    }
    if (prompt.contains("overload") && overloads.incrementAndGet() % 3 != 0) {
      return Source.single(new Failed(Failed.Kind.OVERLOADED, "Too much.", null));
    }
    if (call.sampling().ignoreEnd()) {
      return Source.repeat(new Delta(0, "on and ", 1, List.of()));
    }
    boolean callsTool = prompt.startsWith("tools ") && !prompt.contains("Sunny");
    return words(call, callsTool ? CALL : COUNT);
  }

  private static Source<GenerationEvent, NotUsed> embedding(GenerationCall call) {
    final float[] values = {call.promptTokens().length, 2, 3};
    return Source.from(
        List.<GenerationEvent>of(
            new Embedded(0, values),
            new Finished(0, FinishReason.STOP),
            new Completed(new Usage(call.promptTokens().length, 0, 0))));
  }

  private static Source<GenerationEvent, NotUsed> words(GenerationCall call, String[] words) {
    int count = Math.min(words.length, call.sampling().maxTokens());
    FinishReason reason = count < words.length ? FinishReason.LENGTH : FinishReason.STOP;
    String[] deltas = Arrays.copyOf(words, count);
    return Source.from(ScriptedGenerations.events(call, reason, deltas));
  }
}
