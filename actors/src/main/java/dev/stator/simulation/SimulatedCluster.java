package dev.stator.simulation;

import dev.stator.planner.PlannerCore;
import dev.stator.planner.PlannerDecision;
import dev.stator.planner.PlannerSettings;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.TrafficReport;
import dev.stator.protocol.WorkRates;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import dev.stator.router.CostModel;
import dev.stator.router.LoadBook;
import dev.stator.router.RouterSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A pool of slots behind a router in virtual time, with or without a planner. Placement is {@link
 * CostModel}'s and {@link LoadBook}'s, decisions are {@link PlannerCore}'s, told by the same
 * reports that workers and frontends send. Without prefix cache and without failures. One thread.
 */
public final class SimulatedCluster implements SimulatedSlot.Listener {
  /**
   * What is simulated.
   *
   * @param slots in the pool
   * @param settleSeconds after the last arrival, for what still runs
   */
  public record Setup(TimingModel timing, RouterSettings router, int slots, double settleSeconds) {}

  /** A decision that moved a slot, and when. */
  public record TimedMove(double atS, PlannerDecision.Move move) {}

  private final VirtualTime time = new VirtualTime();
  private final Setup setup;
  private final Workload workload;
  private final CostModel costs;
  private final LoadBook book = new LoadBook();
  private final Map<WorkerId, SimulatedSlot> slots = new LinkedHashMap<>();
  private final List<SimulatedRequest> requests = new ArrayList<>();
  private final List<TimedMove> moves = new ArrayList<>();
  private final List<PlannerDecision> decisions = new ArrayList<>();
  private PlannerCore planner; // Null for a fixed split.

  // What the frontends have counted.
  private final long[] promptLengths = new long[LogCounts.BUCKETS_MAX];
  private final long[] ttftMicros = new long[LogCounts.BUCKETS_MAX];
  private final long[] itlMicros = new long[LogCounts.BUCKETS_MAX];
  private long promptTokens;
  private long answerTokens;
  private long youngAnswerTokens;
  private long youngEnded;
  private long ended;

  /**
   * @param prefillSlots at the start; the others decode
   * @param seed of the router's choice among equals
   */
  public SimulatedCluster(Setup setup, int prefillSlots, Workload workload, long seed) {
    this.setup = setup;
    this.workload = workload;
    this.costs = new CostModel(setup.router(), new SplittableRandom(seed));
    for (int i = 0; i < setup.slots(); i++) {
      final WorkerRole role = i < prefillSlots ? WorkerRole.PREFILL : WorkerRole.DECODE;
      final SimulatedSlot slot =
          new SimulatedSlot(time, setup.timing(), "slot/" + i, Set.of(role), this);
      slots.put(slot.description().id(), slot);
    }
  }

  /** From now on a planner moves slots. */
  public SimulatedCluster planned(PlannerSettings settings) {
    planner = new PlannerCore(settings);
    plan(settings);
    return this;
  }

  /** Runs all of it. */
  public SimulatedCluster run() {
    arrive(0);
    time.runUntil(Math.round((workload.seconds() + setup.settleSeconds()) * 1e9));
    return this;
  }

  public List<TimedMove> moves() {
    return List.copyOf(moves);
  }

  /** All decisions, holds included. */
  public List<PlannerDecision> decisions() {
    return List.copyOf(decisions);
  }

  /** What became of every request. */
  public List<PlannerStudy.Outcome> outcomes() {
    return requests.stream()
        .map(request ->
            new PlannerStudy.Outcome(request.arrival.atS(), request.ttftS(), request.itlS()))
        .toList();
  }

  private void arrive(int number) {
    if (number >= workload.arrivals().size()) return;
    final Workload.Arrival arrival = workload.arrivals().get(number);
    time.at(
        Math.round(arrival.atS() * 1e9),
        () -> {
          place(new SimulatedRequest(number, arrival));
          arrive(number + 1);
        });
  }

  private void place(SimulatedRequest request) {
    requests.add(request);
    promptTokens += request.promptTokens();
    promptLengths[LogCounts.bucket(request.promptTokens())]++;
    final CostModel.Decision decision =
        costs.decide(
            new CostModel.Field(options(true), options(false), List.of()),
            request.promptTokens(),
            request.answerTokens());
    final WorkerId decode = decision.decode().description().id();
    final boolean remote = !decision.prefillers().isEmpty();
    final CostModel.Option prefiller =
        remote ? decision.prefillers().getFirst() : decision.decode();
    book.book(
        new LoadBook.Booking(
            request.id,
            0,
            decode,
            prefiller.description().id(),
            request.promptTokens(),
            costs.expectedBlocks(
                decision.decode().description(), request.promptTokens(), request.answerTokens())));
    request.decode = slots.get(decode);
    if (remote && request.decode.reserve(request)) {
      slots.get(prefiller.description().id()).prefill(request);
    } else if (!request.decode.generate(request)) {
      book.ended(request.id, 0); // The client is told to come later.
      ended++;
    }
  }

  private List<CostModel.Option> options(boolean decode) {
    final List<CostModel.Option> options = new ArrayList<>();
    for (SimulatedSlot slot : slots.values()) {
      if (slot.roles().contains(WorkerRole.DECODE) != decode) continue;
      final WorkerId id = slot.description().id();
      options.add(new CostModel.Option(slot.description(), 0, book.load(id), WorkRates.UNKNOWN));
    }
    return options;
  }

  @Override
  public void prefilled(SimulatedRequest request) {
    time.after(
        setup.timing().transferSecondsPerToken() * request.promptTokens(),
        () -> request.decode.filled(request));
  }

  @Override
  public void firstToken(SimulatedRequest request) {
    book.prefillFinished(request.id, 0);
    answerTokens++;
    youngAnswerTokens++;
    ttftMicros[LogCounts.bucket(Math.round(request.ttftS() * 1e6))]++;
  }

  @Override
  public void tokens(int sequences, int young, long gapNs) {
    answerTokens += sequences;
    youngAnswerTokens += young;
    itlMicros[LogCounts.bucket(gapNs / 1000)] += sequences;
  }

  @Override
  public void ended(SimulatedRequest request) {
    book.ended(request.id, 0);
    ended++;
    if (request.isYoung(request.endNs)) youngEnded++;
  }

  @Override
  public void settled(SimulatedSlot slot) {
    planner.taken(slot.description().id());
  }

  private void plan(PlannerSettings settings) {
    for (SimulatedSlot slot : slots.values()) {
      planner.reported(slot.description().id(), slot.roles(), slot.load());
      planner.described(slot.description());
      planner.worked(slot.description().id(), slot.sums());
    }
    planner.asked(traffic());
    for (PlannerDecision decision : planner.endInterval()) {
      decisions.add(decision);
      if (decision instanceof PlannerDecision.Move move && !settings.dryRun()) {
        moves.add(new TimedMove(time.nowS(), move));
        slots.get(move.worker()).take(Set.of(move.to()));
      }
    }
    time.after(settings.interval().toNanos() / 1e9, () -> plan(settings));
  }

  private TrafficReport traffic() {
    return new TrafficReport(
        "simulated",
        requests.size(),
        ended,
        promptTokens,
        answerTokens,
        youngAnswerTokens,
        youngEnded,
        LogCounts.of(promptLengths),
        LogCounts.of(ttftMicros),
        LogCounts.of(itlMicros));
  }
}
