package dev.stator.simulation;

import dev.stator.engine.EngineLoad;
import dev.stator.protocol.StepSums;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * An engine slot in virtual time. A step takes every running sequence one token further and spends
 * the rest of its tokens on prompts, first come first served.
 *
 * <pre>
 *   prompt for another ──▶ prompts ── computed ──▶ listener.prefilled
 *   reserved ── filled ──▶ joining ──▶ running ── last token ──▶ listener.ended
 *   local, or no room ──▶ prompts ── room, computed ──▶ running
 * </pre>
 *
 * Blocks that run out while sequences grow are not preempted; a share kept free makes that rare.
 * One thread.
 */
final class SimulatedSlot {
  /** Hears what becomes of requests, at the end of the step. */
  interface Listener {
    void prefilled(SimulatedRequest request);

    void firstToken(SimulatedRequest request);

    /**
     * Of {@code sequences} running ones, some young, each a token, so long after the one before.
     */
    void tokens(int sequences, int young, long gapNs);

    void ended(SimulatedRequest request);

    /** Nothing of a role that the slot has not any more is left. */
    void settled(SimulatedSlot slot);
  }

  private static final double BLOCKS_KEPT = 0.05; // Share left for growing.

  private final VirtualTime time;
  private final TimingModel timing;
  private final WorkerDescription description;
  private final Listener listener;
  private final Deque<SimulatedRequest> prompts = new ArrayDeque<>();
  private final List<SimulatedRequest> joining = new ArrayList<>();
  private final PriorityQueue<SimulatedRequest> running =
      new PriorityQueue<>(Comparator.comparingLong(request -> request.lastStep));
  private final Deque<SimulatedRequest> youngest = new ArrayDeque<>(); // Ended ones included.
  private int young; // Without those.
  private Set<WorkerRole> roles;
  private boolean settling;
  private boolean stepping;
  private int foreignPrompts; // Of prompts, those computed for other slots, and
  private int localPrompts; // those whose answers run here too.
  private int held; // Sequences that hold blocks here.
  private long heldTokens;
  private long promptTokensLeft;
  private long steps;
  private long lastStepEndNs;
  private StepSums sums = StepSums.NONE;

  SimulatedSlot(
      VirtualTime time, TimingModel timing, String name, Set<WorkerRole> roles, Listener listener) {
    this.time = time;
    this.timing = timing;
    this.listener = listener;
    this.roles = roles;
    this.description =
        new WorkerDescription(
            new WorkerId(name, 0),
            "simulated",
            timing.blockSize(),
            1,
            timing.totalBlocks(),
            Integer.MAX_VALUE);
  }

  WorkerDescription description() {
    return description;
  }

  Set<WorkerRole> roles() {
    return roles;
  }

  void take(Set<WorkerRole> newRoles) {
    roles = newRoles;
    settling = true;
    settleIfIdle();
  }

  EngineLoad load() {
    return new EngineLoad(
        running.size() + joining.size(),
        localPrompts,
        (int) Math.min(timing.totalBlocks(), usedBlocks()),
        0,
        timing.totalBlocks(),
        promptTokensLeft,
        0,
        0,
        0,
        steps,
        0,
        0,
        0);
  }

  StepSums sums() {
    return sums;
  }

  /** Blocks for a prompt that is computed elsewhere; {@code false} when there is no room. */
  boolean reserve(SimulatedRequest request) {
    if (!hasRoom(request.promptTokens() + waitingPrompt())) return false;
    hold(request);
    return true;
  }

  /** The blocks of a reserved request have arrived. */
  void filled(SimulatedRequest request) {
    joining.add(request);
    stepIfIdle();
  }

  /** Computes a prompt for another slot. */
  void prefill(SimulatedRequest request) {
    prompts.add(request);
    foreignPrompts++;
    promptTokensLeft += request.promptLeft;
    stepIfIdle();
  }

  /** Computes prompt and answer; {@code false} when too much is waiting. */
  boolean generate(SimulatedRequest request) {
    if (promptTokensLeft > 0 && promptTokensLeft + request.promptLeft > timing.waitingTokensMax()) {
      return false;
    }
    request.computedHere = true;
    promptTokensLeft += request.promptLeft;
    prompts.add(request);
    localPrompts++;
    stepIfIdle();
    return true;
  }

  private boolean hasRoom(long tokens) {
    final double blocks = usedBlocks() + (double) tokens / timing.blockSize();
    if (held == 0) return true;
    return held < timing.runningMax() && blocks <= (1 - BLOCKS_KEPT) * timing.totalBlocks();
  }

  /** Tokens of the prompt here that is next to need blocks: reservations leave it room. */
  private int waitingPrompt() {
    final SimulatedRequest first = prompts.peek();
    return first != null && first.computedHere && !first.holdsBlocks ? first.promptTokens() : 0;
  }

  private void hold(SimulatedRequest request) {
    request.holdsBlocks = true;
    held++;
    heldTokens += request.promptTokens();
  }

  private double usedBlocks() {
    return (double) heldTokens / timing.blockSize() + held / 2.0;
  }

  private void stepIfIdle() {
    if (!stepping) step();
  }

  private void step() {
    final List<SimulatedRequest> joined = List.copyOf(joining);
    joining.clear();
    for (SimulatedRequest request : joined) run(request, steps + request.answerTokens());
    final List<SimulatedRequest> computed = new ArrayList<>();
    final int promptTokens = computePrompts(computed);
    if (promptTokens == 0 && running.isEmpty()) return;
    stepping = true;
    final double seconds = timing.stepSeconds(promptTokens, running.size(), usedBlocks());
    final double chosen = running.size();
    time.after(
        seconds,
        () -> {
          sums = sums.plus(StepSums.of(promptTokens, chosen, usedBlocks(), seconds));
          endStep(joined, computed);
        });
  }

  private int computePrompts(List<SimulatedRequest> computed) {
    int left = Math.max(1, timing.stepTokensMax() - running.size());
    int promptTokens = 0;
    while (!prompts.isEmpty() && left > 0) {
      final SimulatedRequest request = prompts.getFirst();
      if (request.computedHere && !request.holdsBlocks) {
        if (!hasRoom(request.promptTokens())) break;
        hold(request);
      }
      final int tokens = Math.min(left, request.promptLeft);
      request.promptLeft -= tokens;
      promptTokens += tokens;
      left -= tokens;
      if (request.promptLeft > 0) break;
      prompts.removeFirst();
      computed.add(request);
    }
    promptTokensLeft -= promptTokens;
    return promptTokens;
  }

  private void run(SimulatedRequest request, long lastStep) {
    request.lastStep = lastStep;
    running.add(request);
  }

  private void endStep(List<SimulatedRequest> joined, List<SimulatedRequest> computed) {
    steps++;
    heldTokens += running.size();
    final long nowNs = time.nowNs();
    while (!youngest.isEmpty() && !youngest.peek().isYoung(nowNs)) {
      if (youngest.remove().endNs < 0) young--;
    }
    if (running.size() > joined.size()) {
      listener.tokens(running.size() - joined.size(), young, nowNs - lastStepEndNs);
    }
    lastStepEndNs = nowNs;
    joined.forEach(this::tellFirstToken);
    for (SimulatedRequest request : computed) {
      if (request.computedHere) {
        localPrompts--;
        heldTokens++;
        run(request, steps + request.answerTokens() - 1);
        tellFirstToken(request);
      } else {
        foreignPrompts--;
        listener.prefilled(request);
      }
    }
    while (!running.isEmpty() && running.peek().lastStep <= steps) end(running.remove());
    settleIfIdle();
    stepping = false;
    step();
  }

  private void tellFirstToken(SimulatedRequest request) {
    request.firstTokenNs = time.nowNs();
    youngest.add(request);
    young++;
    listener.firstToken(request);
  }

  private void end(SimulatedRequest request) {
    held--;
    heldTokens -= request.promptTokens() + request.answerTokens();
    request.endNs = time.nowNs();
    if (request.isYoung(request.endNs)) young--;
    listener.ended(request);
  }

  private void settleIfIdle() {
    if (!settling) return;
    final boolean decodeIsLeft = !roles.contains(WorkerRole.DECODE) && held + localPrompts > 0;
    final boolean prefillIsLeft = !roles.contains(WorkerRole.PREFILL) && foreignPrompts > 0;
    if (decodeIsLeft || prefillIsLeft) return;
    settling = false;
    listener.settled(this);
  }
}
