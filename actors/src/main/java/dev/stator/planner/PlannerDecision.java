package dev.stator.planner;

import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.OptionalDouble;

/** What the planner wants, with its reasons. */
public sealed interface PlannerDecision {
  /** In words, with the figures. */
  String reason();

  /** The figures. */
  Figures figures();

  /** Everything stays. */
  record Hold(String reason, Figures figures) implements PlannerDecision {
    @Override
    public String toString() {
      return "hold: " + reason;
    }
  }

  /** A slot changes from one role to the other. */
  record Move(WorkerId worker, WorkerRole from, WorkerRole to, String reason, Figures figures)
      implements PlannerDecision {
    @Override
    public String toString() {
      return "move " + worker + " from " + from + " to " + to + ": " + reason;
    }
  }

  /**
   * What a decision was made from.
   *
   * @param prefillSlots that only prefill
   * @param decodeSlots that only decode
   * @param waitingTokens that the prefill slots owe
   * @param occupancy used share of the decode slots' blocks
   * @param runningSequences at the decode slots
   * @param ttftP95S seconds of the last interval; empty without any first token
   * @param itlP95S seconds of the last interval; empty without any token
   * @param sequencesPerSecond told ahead; empty while unknown, as are the next four
   * @param promptLength tokens, told ahead
   * @param answerLength tokens, told ahead
   * @param goodputNow share of the sequences that would meet the targets with this split
   * @param goodputThen with the best split in reach
   */
  record Figures(
      int prefillSlots,
      int decodeSlots,
      long waitingTokens,
      double occupancy,
      int runningSequences,
      OptionalDouble ttftP95S,
      OptionalDouble itlP95S,
      OptionalDouble sequencesPerSecond,
      OptionalDouble promptLength,
      OptionalDouble answerLength,
      OptionalDouble goodputNow,
      OptionalDouble goodputThen) {}
}
