package dev.stator.http;

import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.TokenLogprob;
import dev.stator.request.GenerationEvent.Usage;
import dev.stator.request.Generations;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/** Generations by script; remembers what it was asked for. Any thread. */
final class ScriptedGenerations implements Generations {
  /** Prompt tokens that every scripted answer claims to have found in the cache. */
  static final int CACHED_TOKENS = 3;

  final ConcurrentLinkedQueue<GenerationCall> calls = new ConcurrentLinkedQueue<>();
  private volatile Function<GenerationCall, Source<GenerationEvent, NotUsed>> script;

  ScriptedGenerations() {
    answer("Hello", " world");
  }

  @Override
  public Source<GenerationEvent, NotUsed> generate(GenerationCall call) {
    calls.add(call);
    return script.apply(call);
  }

  void script(Function<GenerationCall, Source<GenerationEvent, NotUsed>> newScript) {
    script = newScript;
  }

  /** Every choice of every call gets these deltas, a token each. */
  void answer(String... deltas) {
    script(call -> Source.from(events(call, FinishReason.STOP, deltas)));
  }

  /** The only choice gets these deltas, a token each, and is then cut off. */
  void answerCutOff(String... deltas) {
    script(call -> Source.from(events(call, FinishReason.LENGTH, deltas)));
  }

  GenerationCall lastCall() {
    GenerationCall last = null;
    for (GenerationCall call : calls) last = call;
    return last;
  }

  static List<GenerationEvent> events(GenerationCall call, FinishReason reason, String... deltas) {
    List<GenerationEvent> events = new ArrayList<>();
    for (String delta : deltas) {
      for (int choice = 0; choice < call.choiceCount(); choice++) {
        events.add(new Delta(choice, delta, 1, logprobs(call, delta)));
      }
    }
    for (int choice = 0; choice < call.choiceCount(); choice++) {
      events.add(new Finished(choice, reason));
    }
    int answerTokens = deltas.length * call.choiceCount();
    events.add(new Completed(new Usage(call.promptTokens().length, answerTokens, CACHED_TOKENS)));
    return events;
  }

  /** The token itself, and as many alternatives as were asked for: "alt0", "alt1", … */
  private static List<TokenLogprob> logprobs(GenerationCall call, String text) {
    if (!call.sampling().logprobs()) return List.of();
    List<TokenLogprob> top = new ArrayList<>();
    for (int rank = 0; rank < call.sampling().topLogprobs(); rank++) {
      top.add(token("alt" + rank, -1f - rank, List.of()));
    }
    return List.of(token(text, -0.5f, top));
  }

  private static TokenLogprob token(String text, float logprob, List<TokenLogprob> top) {
    return new TokenLogprob(text, text.getBytes(StandardCharsets.UTF_8), logprob, top);
  }
}
