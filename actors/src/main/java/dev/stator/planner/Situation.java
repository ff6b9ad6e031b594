package dev.stator.planner;

import dev.stator.engine.EngineLoad;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the planner knows at the end of an interval.
 *
 * @param slots as they reported last
 * @param traffic what is expected to be asked for; empty while nothing is
 * @param stepTime how fast the slots are; empty until both phases have been measured
 * @param uncachedShare of the prompts' tokens, those that had to be computed lately
 * @param blockSize tokens in a block
 * @param ttftMicros of the last interval
 * @param itlMicros of the last interval
 */
public record Situation(
    List<Slot> slots,
    Optional<LoadForecast.Load> traffic,
    Optional<StepTime> stepTime,
    double uncachedShare,
    int blockSize,
    LogCounts ttftMicros,
    LogCounts itlMicros) {
  public Situation {
    slots = List.copyOf(slots);
  }

  /** A worker as it reported last. */
  public record Slot(WorkerId id, Set<WorkerRole> roles, EngineLoad load) {
    public Slot {
      roles = Set.copyOf(roles);
    }

    boolean isOnly(WorkerRole role) {
      return roles.equals(Set.of(role));
    }
  }

  /** The slots that have this role alone. */
  List<Slot> only(WorkerRole role) {
    return slots.stream().filter(slot -> slot.isOnly(role)).toList();
  }

  /** Prompt tokens that the slots of a role alone have still to compute. */
  long waitingTokens(WorkerRole role) {
    return only(role).stream().mapToLong(slot -> slot.load().waitingTokens()).sum();
  }

  /** Sequences that run at the slots of a role alone. */
  int runningSequences(WorkerRole role) {
    return only(role).stream().mapToInt(slot -> slot.load().runningSequences()).sum();
  }

  /** Blocks of the slots of a role alone. */
  long blocks(WorkerRole role) {
    return only(role).stream().mapToLong(slot -> slot.load().totalBlocks()).sum();
  }

  /** Used share of the blocks of the slots of a role alone. */
  double occupancy(WorkerRole role) {
    final long used = only(role).stream().mapToLong(slot -> slot.load().usedBlocks()).sum();
    return (double) used / Math.max(1, blocks(role));
  }
}
