package dev.stator.request;

import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.engine.SamplingParams;
import dev.stator.model.text.Tokenizer;
import dev.stator.protocol.Placement;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerId;
import java.util.HashSet;
import java.util.Set;

/**
 * One answer of a call, and where it runs.
 *
 * <pre>
 *   IDLE ──▶ PLACING ──Placed──▶ RUNNING ──last token──▶ FINISHED
 *              ▲  │ no place        │ refused, lost, worker gone
 *              │  ▼                 ▼
 *              └─ PAUSED ◀──────────┘
 * </pre>
 */
final class Choice {
  /** Where a choice stands. */
  enum State {
    IDLE,
    PLACING,
    RUNNING,
    PAUSED,
    FINISHED
  }

  private final GenerationCall call;
  private final int index;
  private final RequestId id;
  private final SamplingParams sampling;
  private final ChoiceText text;
  private final Set<WorkerId> gone = new HashSet<>();
  private final Set<WorkerId> refusing = new HashSet<>(); // Until the next pause.
  private State state = State.IDLE;
  private int attempt = -1;
  private boolean hasNewsAtWorker; // Since it was placed last.
  private int retries;
  private int moves;
  private Placement placement; // While running.
  private WorkerAnswer.Refused refusal; // The latest, until a token comes or a worker loses it.

  Choice(String callName, GenerationCall call, int index, Tokenizer tokenizer) {
    this.call = call;
    this.index = index;
    this.id = new RequestId(callName + "/" + index);
    this.sampling = Seeds.sampling(call.sampling(), index);
    this.text = new ChoiceText(tokenizer, call);
  }

  int index() {
    return index;
  }

  RequestId id() {
    return id;
  }

  State state() {
    return state;
  }

  int attempt() {
    return attempt;
  }

  boolean hasNewsAtWorker() {
    return hasNewsAtWorker;
  }

  void countRetry() {
    retries++;
  }

  int retries() {
    return retries;
  }

  int moves() {
    return moves;
  }

  Placement placement() {
    return placement;
  }

  /** Where it should not be placed. */
  Set<WorkerId> avoided() {
    final Set<WorkerId> avoided = new HashSet<>(gone);
    avoided.addAll(refusing);
    return avoided;
  }

  WorkerAnswer.Refused refusal() {
    return refusal;
  }

  int tokenCount() {
    return text.tokenCount();
  }

  int maxNewTokens() {
    return sampling.maxTokens() - text.tokenCount();
  }

  int[] tokens() {
    return text.behind(call.promptTokens());
  }

  GenerationRequest request() {
    return new GenerationRequest(
        id, tokens(), call.promptTokens().length, sampling, call.cacheSalt());
  }

  /** Whether a message about this attempt is still of interest. */
  boolean isAt(State expected, int messageAttempt) {
    return state == expected && attempt == messageAttempt;
  }

  void startPlacing() {
    state = State.PLACING;
    attempt++;
  }

  void placed(Placement newPlacement) {
    state = State.RUNNING;
    hasNewsAtWorker = false;
    placement = newPlacement;
  }

  /** It runs nowhere now; another try follows. */
  void pause() {
    state = State.PAUSED;
    placement = null;
    refusing.clear();
    retries++;
  }

  /** Its worker is gone, or has lost it. */
  void lost(boolean workerIsGone) {
    if (workerIsGone) gone.add(placement.worker());
    if (tokenCount() > 0) moves++;
  }

  void refused(WorkerAnswer.Refused newRefusal) {
    refusal = newRefusal;
    refusing.add(newRefusal.worker());
  }

  /** Its worker has lost it and may lose it again: any other is tried before, once. */
  void preferOthersThan(WorkerId worker) {
    refusal = null;
    refusing.add(worker);
  }

  /** Whether no place means that only the worker that lost it is left. */
  boolean prefersOthers() {
    return refusal == null && !refusing.isEmpty();
  }

  /** Whether a client should rather hear at once that there is no place. */
  boolean isFresh() {
    return index == 0 && tokenCount() == 0 && (attempt == 0 || refusal != null);
  }

  ChoiceText.News accept(WorkerAnswer.SequenceTokens sequence) {
    hasNewsAtWorker = true;
    final ChoiceText.News news = text.accept(sequence);
    if (news.tokenCount() > 0) {
      retries = 0;
      refusal = null;
    }
    return news;
  }

  void finish() {
    state = State.FINISHED;
    placement = null;
  }
}
