package dev.stator.request;

import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.engine.SamplingParams;
import dev.stator.model.text.Tokenizer;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.Place;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PlacementAnswer;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerId;
import java.util.HashSet;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

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
  private final Set<WorkerId> gone = new HashSet<>(); // Until a token comes.
  private final Set<WorkerId> refusing = new HashSet<>(); // Until the next pause.
  private State state = State.IDLE;
  private int attempt = -1;
  private boolean hasNewsAtWorker; // Since it was placed last, as the next.
  private boolean hasBeenHeardOf;
  private int silentChecks; // In a row.
  private int losses; // In a row, without a token.
  private int pauses; // In a row, as well.
  private int moves;
  private Placement placement; // While running.
  private String numerics = ""; // Of who computed the last token.
  private PlacementAnswer.NotPlaced lastNoPlace; // Since a worker was last heard of.
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

  /** How often in a row a worker has lost it. */
  int losses() {
    return losses;
  }

  /** How often in a row it has paused. */
  int pauses() {
    return pauses;
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

  /** Asks for a place, as often as it is said for the present attempt. */
  Place question(ActorRef<PlacementAnswer> replyTo, ActorRef<BookingCheck> sessions) {
    return new Place(
        id,
        attempt,
        tokens(),
        maxNewTokens(),
        call.cacheSalt(),
        numerics,
        avoided(),
        replyTo,
        sessions);
  }

  GenerationRequest request() {
    return new GenerationRequest(
        id, tokens(), call.promptTokens().length, sampling, call.cacheSalt(), call.pooling());
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
    hasBeenHeardOf = false;
    silentChecks = 0;
    placement = newPlacement;
  }

  /** Its worker has shown that it runs. */
  void heardOf() {
    hasBeenHeardOf = true;
    silentChecks = 0;
    lastNoPlace = null;
  }

  void notPlaced(PlacementAnswer.NotPlaced answer) {
    lastNoPlace = answer;
  }

  PlacementAnswer.NotPlaced lastNoPlace() {
    return lastNoPlace;
  }

  boolean hasBeenHeardOf() {
    return hasBeenHeardOf;
  }

  /** Counts a look at a running choice; returns how many in a row have had nothing to see. */
  int countCheck() {
    return silentChecks++;
  }

  /** It runs nowhere now; another try follows. */
  void pause() {
    state = State.PAUSED;
    placement = null;
    refusing.clear();
    pauses++;
  }

  /** Its worker is gone, or has lost it. */
  void lost(boolean workerIsGone) {
    if (workerIsGone) gone.add(placement.worker());
    losses++;
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

  /** Whether a client should rather hear at once that there is no place. */
  boolean isFresh() {
    return index == 0 && tokenCount() == 0 && (attempt == 0 || refusal != null);
  }

  ChoiceText.News accept(WorkerAnswer.SequenceTokens sequence) {
    hasNewsAtWorker = true;
    final ChoiceText.News news = text.accept(sequence);
    if (news.tokenCount() > 0) {
      numerics = placement.numerics();
      losses = 0;
      pauses = 0;
      refusal = null;
      gone.clear();
    }
    return news;
  }

  void finish() {
    state = State.FINISHED;
    placement = null;
  }
}
