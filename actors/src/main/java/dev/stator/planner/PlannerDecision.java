package dev.stator.planner;

import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;

/** What the planner wants, with its reasons. */
public sealed interface PlannerDecision {
  /** In words, with the figures. */
  String reason();

  /** Everything stays. */
  record Hold(String reason) implements PlannerDecision {}

  /** A slot changes from one role to the other. */
  record Move(WorkerId worker, WorkerRole from, WorkerRole to, String reason)
      implements PlannerDecision {}
}
