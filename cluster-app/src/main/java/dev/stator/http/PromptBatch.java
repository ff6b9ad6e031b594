package dev.stator.http;

import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Embedded;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.Usage;
import dev.stator.request.Generations;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Merge;
import org.apache.pekko.stream.javadsl.Source;

/** Several prompts of one request as one generation. */
final class PromptBatch {
  /** Generations of one request that run at a time. */
  private static final int RUNNING_MAX = 16;

  private PromptBatch() {}

  /**
   * The events of all calls, interleaved, as of one: choices are numbered through, prompt by
   * prompt, and one {@link Completed} with the sum of all usages ends the stream. The first failure
   * ends it too, and cancels the others.
   */
  static Source<GenerationEvent, NotUsed> generate(
      Generations generations, List<GenerationCall> calls) {
    if (calls.size() == 1) return started(generations, calls.getFirst());
    List<Source<GenerationEvent, NotUsed>> sources = new ArrayList<>(calls.size());
    int firstChoice = 0;
    for (GenerationCall call : calls) {
      int offset = firstChoice;
      sources.add(started(generations, call).map(event -> shifted(event, offset)));
      firstChoice += call.choiceCount();
    }
    return merged(sources).statefulMapConcat(() -> new Total(calls.size())::joined);
  }

  /** All at once, up to {@link #RUNNING_MAX}; more follow as others end. */
  private static Source<GenerationEvent, NotUsed> merged(
      List<Source<GenerationEvent, NotUsed>> sources) {
    return sources.size() > RUNNING_MAX
        ? Source.from(sources).flatMapMerge(RUNNING_MAX, source -> source)
        : Source.combine(sources, Merge::<GenerationEvent>create)
            .mapMaterializedValue(all -> NotUsed.getInstance());
  }

  /** Whatever goes wrong, goes wrong within the stream. */
  private static Source<GenerationEvent, NotUsed> started(
      Generations generations, GenerationCall call) {
    return Source.lazySource(() -> generations.generate(call))
        .mapMaterializedValue(later -> NotUsed.getInstance());
  }

  private static GenerationEvent shifted(GenerationEvent event, int offset) {
    return switch (event) {
      case Placed placed -> placed.of(placed.choiceIndex() + offset);
      case Delta(var choice, var text, var tokenCount, var logprobs) ->
          new Delta(choice + offset, text, tokenCount, logprobs);
      case Embedded(var choice, var values) -> new Embedded(choice + offset, values);
      case Finished(var choice, var reason) -> new Finished(choice + offset, reason);
      case Completed completed -> completed;
      case Failed failed -> failed;
    };
  }

  /** Sums the usages of the generations that have completed. */
  private static final class Total {
    private int runningCount;
    private Usage sum = new Usage(0, 0, 0);

    Total(int callCount) {
      runningCount = callCount;
    }

    List<GenerationEvent> joined(GenerationEvent event) {
      if (!(event instanceof Completed(Usage usage))) return List.of(event);
      sum =
          new Usage(
              sum.promptTokens() + usage.promptTokens(),
              sum.completionTokens() + usage.completionTokens(),
              sum.cachedTokens() + usage.cachedTokens());
      runningCount--;
      return runningCount == 0 ? List.of(new Completed(sum)) : List.of();
    }
  }
}
