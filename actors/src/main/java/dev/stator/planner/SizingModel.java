package dev.stator.planner;

import dev.stator.engine.EngineLoad;
import dev.stator.planner.PlannerDecision.Hold;
import dev.stator.planner.PlannerDecision.Move;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Weighs the two pools against each other, once an interval. Prefill is short when its slots owe
 * many prompt tokens, decode when its blocks are nearly used up. A slot moves when one pool is
 * short and the other has slots to spare, several times in a row. Slots with both roles are left
 * alone. Counts intervals, knows no clock. One thread.
 */
public final class SizingModel {
  /** A worker as it reported last. */
  public record Observation(WorkerId id, Set<WorkerRole> roles, EngineLoad load) {}

  /** A pool's figures. */
  private record Pool(List<Observation> slots, double waitingTokens, double occupancy) {
    static Pool of(WorkerRole role, List<Observation> all) {
      final List<Observation> slots =
          all.stream().filter(slot -> slot.roles().equals(Set.of(role))).toList();
      final double waiting =
          slots.stream().mapToLong(slot -> slot.load().waitingTokens()).average().orElse(0);
      final double occupancy = slots.stream().mapToDouble(Pool::occupancy).average().orElse(0);
      return new Pool(slots, waiting, occupancy);
    }

    /** Not by waiting sequences: those of a remote prefill wait for the other pool. */
    private static double occupancy(Observation slot) {
      return (double) slot.load().usedBlocks() / Math.max(1, slot.load().totalBlocks());
    }

    WorkerId leastLoaded() {
      return slots.stream()
          .min(
              Comparator.comparingInt((Observation slot) -> slot.load().usedBlocks())
                  .thenComparing(slot -> slot.id().slot()))
          .orElseThrow()
          .id();
    }
  }

  private final PlannerSettings settings;
  private WorkerRole wanted; // The pool found short the last time; null for neither.
  private int agreements;
  private int cooldown;

  public SizingModel(PlannerSettings settings) {
    this.settings = settings;
  }

  /** One interval's decision. A move that is returned counts as made. */
  public PlannerDecision decide(List<Observation> observations) {
    final Pool prefill = Pool.of(WorkerRole.PREFILL, observations);
    final Pool decode = Pool.of(WorkerRole.DECODE, observations);
    final String figures =
        String.format(
            Locale.ROOT,
            "%d prefill slots owe %.0f tokens each, %d decode slots are %.0f %% full",
            prefill.slots().size(),
            prefill.waitingTokens(),
            decode.slots().size(),
            100 * decode.occupancy());
    if (cooldown > 0) {
      cooldown--;
      return new Hold("cooling down: " + figures);
    }
    final WorkerRole shortRole = shortRole(prefill, decode);
    agreements = shortRole != null && shortRole == wanted ? agreements + 1 : 1;
    wanted = shortRole;
    if (shortRole == null) return new Hold("balanced: " + figures);
    if (agreements < settings.confirmations()) {
      return new Hold("%s is short, seen %d times: %s".formatted(shortRole, agreements, figures));
    }
    wanted = null;
    cooldown = settings.cooldown();
    return shortRole == WorkerRole.PREFILL
        ? new Move(decode.leastLoaded(), WorkerRole.DECODE, WorkerRole.PREFILL, figures)
        : new Move(prefill.leastLoaded(), WorkerRole.PREFILL, WorkerRole.DECODE, figures);
  }

  /** The pool that needs a slot which the other can spare; {@code null} for neither. */
  private WorkerRole shortRole(Pool prefill, Pool decode) {
    final boolean prefillIsShort = prefill.waitingTokens() >= settings.prefillQueueTokensHigh();
    final boolean decodeIsShort = decode.occupancy() >= settings.decodeOccupancyHigh();
    if (prefillIsShort
        && decode.occupancy() <= settings.decodeOccupancyLow()
        && decode.slots().size() > settings.decodeMin()) {
      return WorkerRole.PREFILL;
    }
    if (decodeIsShort
        && prefill.waitingTokens() <= settings.prefillQueueTokensLow()
        && prefill.slots().size() > settings.prefillMin()) {
      return WorkerRole.DECODE;
    }
    return null;
  }
}
