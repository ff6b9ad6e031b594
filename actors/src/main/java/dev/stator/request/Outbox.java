package dev.stator.request;

import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Embedded;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.TokenLogprob;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * What a client has not read yet. Waiting text of a choice is joined into one delta, so this holds
 * at most one delta a choice, as long as its answer may get, and its last few placements. Choices
 * take turns. One thread.
 */
final class Outbox {
  static final int PLACEMENTS_MAX = 16;

  private static final class Waiting {
    final StringBuilder text = new StringBuilder();
    final List<TokenLogprob> logprobs = new ArrayList<>();
    final Deque<Placed> placements = new ArrayDeque<>(); // Told with the next text.
    int tokenCount;
    float[] embedding;
    FinishReason finish;
    boolean finishTaken;

    boolean hasDelta() {
      return !text.isEmpty() || (finish != null && tokenCount > 0);
    }
  }

  private final Waiting[] choices;
  private int turn;
  private GenerationEvent last;
  private boolean lastTaken;

  Outbox(int choiceCount) {
    choices = new Waiting[choiceCount];
    for (int i = 0; i < choiceCount; i++) choices[i] = new Waiting();
  }

  /** Adds to a choice's next delta. */
  void add(int choiceIndex, String text, int tokenCount, List<TokenLogprob> logprobs) {
    final Waiting waiting = choices[choiceIndex];
    waiting.text.append(text);
    waiting.tokenCount += tokenCount;
    waiting.logprobs.addAll(logprobs);
  }

  /** Of many that nobody reads the oldest go. */
  void place(Placed placed) {
    final Deque<Placed> placements = choices[placed.choiceIndex()].placements;
    if (placements.size() == PLACEMENTS_MAX) placements.removeFirst();
    placements.addLast(placed);
  }

  /** Told before the choice's end. */
  void embed(int choiceIndex, float[] values) {
    choices[choiceIndex].embedding = values;
  }

  void finish(int choiceIndex, FinishReason reason) {
    choices[choiceIndex].finish = reason;
  }

  /** The event after which nothing comes; the first counts. */
  void end(GenerationEvent event) {
    if (!(event instanceof Completed || event instanceof Failed)) {
      throw new IllegalArgumentException("not a last event: " + event);
    }
    if (last == null) last = event;
  }

  boolean hasEnd() {
    return last != null;
  }

  /** Whether the last event has been taken. */
  boolean isDone() {
    return lastTaken;
  }

  /** The next event; {@code null} when there is none now. */
  GenerationEvent poll() {
    for (int i = 0; i < choices.length; i++) {
      final int choiceIndex = (turn + i) % choices.length;
      final GenerationEvent event = poll(choiceIndex);
      if (event == null) continue;
      turn = (choiceIndex + 1) % choices.length;
      return event;
    }
    if (last == null || lastTaken) return null;
    lastTaken = true;
    return last;
  }

  private GenerationEvent poll(int choiceIndex) {
    final Waiting waiting = choices[choiceIndex];
    if (!waiting.placements.isEmpty() && (waiting.hasDelta() || waiting.finish != null)) {
      return waiting.placements.removeFirst();
    }
    if (waiting.hasDelta()) {
      final Delta delta =
          new Delta(choiceIndex, waiting.text.toString(), waiting.tokenCount, waiting.logprobs);
      waiting.text.setLength(0);
      waiting.tokenCount = 0;
      waiting.logprobs.clear();
      return delta;
    }
    if (waiting.embedding != null) {
      final Embedded embedded = new Embedded(choiceIndex, waiting.embedding);
      waiting.embedding = null;
      return embedded;
    }
    if (waiting.finish == null || waiting.finishTaken) return null;
    waiting.finishTaken = true;
    return new Finished(choiceIndex, waiting.finish);
  }
}
