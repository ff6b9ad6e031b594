package dev.stator.planner;

import dev.stator.engine.EngineLoad;
import dev.stator.planner.Situation.Slot;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What tests of the planner are about: pools as they could be. */
final class Situations {
  static final Set<WorkerRole> PREFILL = Set.of(WorkerRole.PREFILL);
  static final Set<WorkerRole> DECODE = Set.of(WorkerRole.DECODE);
  static final int BLOCKS = 10_000;

  /** 50,000 prompt tokens a second; a sequence of 1,600 tokens adds 0.3 ms to a step of 6 ms. */
  static final StepTime GPU = new StepTime(0.006, 0.010, 1.2e-5, 1e-4, 2e-6, 2000);

  private Situations() {}

  static WorkerId id(String slot) {
    return new WorkerId(slot, 0);
  }

  static Slot slot(String name, Set<WorkerRole> roles, EngineLoad load) {
    return new Slot(id(name), roles, load);
  }

  static EngineLoad load(int running, long waitingTokens, int usedBlocks) {
    return new EngineLoad(running, 0, usedBlocks, 0, BLOCKS, waitingTokens, 0, 0, 0, 0, 0, 0, 0);
  }

  /** Nothing is measured. */
  static Situation unmeasured(Slot... slots) {
    return new Situation(
        List.of(slots), Optional.empty(), Optional.empty(), 1, 16, LogCounts.NONE, LogCounts.NONE);
  }

  /** Idle slots before a load. */
  static Situation measured(
      int prefillSlots, int decodeSlots, double perSecond, int promptLength, int answerLength) {
    final List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < prefillSlots; i++) slots.add(slot("p" + i, PREFILL, load(0, 0, 0)));
    for (int i = 0; i < decodeSlots; i++) slots.add(slot("d" + i, DECODE, load(0, 0, 0)));
    final long[] lengths = new long[LogCounts.BUCKETS_MAX];
    lengths[LogCounts.bucket(promptLength)] = 100;
    final var traffic =
        new LoadForecast.Load(
            perSecond, promptLength, answerLength, answerLength, LogCounts.of(lengths));
    return new Situation(
        slots, Optional.of(traffic), Optional.of(GPU), 1, 16, LogCounts.NONE, LogCounts.NONE);
  }
}
