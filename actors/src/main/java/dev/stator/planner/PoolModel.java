package dev.stator.planner;

import dev.stator.planner.LoadForecast.Load;
import dev.stator.protocol.WorkerRole;
import java.util.Optional;

/**
 * Tells what a split of the slots would be worth over the coming horizon. Holds what does not
 * depend on the split; {@link PoolRollout} runs the pools. Pure; one a decision.
 */
final class PoolModel {
  private static final int STEPS = 24; // Of the horizon.

  final PlannerSettings settings;
  final Load load;
  final StepTime time;

  /** Sequences that start in a second at slots of one role. */
  final double rate;

  /** Tokens to be computed of a prompt for the prefill slots, and of one that is too short. */
  final double remotePrompt;

  final double localPrompt;

  /** Of the sequences, those with a prompt for the prefill slots. */
  final double remoteSequences;

  /** (1 + squared variation of the prompts' lengths) / 2. */
  final double waitFactor;

  /** Prompt tokens a second of a slot that does nothing else. */
  final double speed;

  /** Blocks of a sequence that starts, and of one that runs. */
  final double blocksPerFresh;

  final double blocksPerOld;
  final double blocksPerSlot;

  final int prefillSlots;
  final int decodeSlots;
  final double prefillTokens; // Waiting at the prefill slots.
  final double decodeTokens; // Waiting at the decode slots.
  final double running; // Sequences at the decode slots.

  private PoolModel(PlannerSettings settings, Situation situation, Load load, StepTime time) {
    this.settings = settings;
    this.load = load;
    this.time = time;
    this.rate = load.sequencesPerSecond() * share(situation);
    final double remoteMin = settings.remotePrefillMinTokens() / situation.uncachedShare();
    final double uncached = Math.max(1, load.promptLength() * situation.uncachedShare());
    final double remoteTokens = load.promptLengths().weightAtLeast(remoteMin);
    this.remoteSequences = load.promptLengths().shareAtLeast(remoteMin);
    this.remotePrompt =
        remoteSequences > 0 ? Math.max(1, uncached * remoteTokens / remoteSequences) : uncached;
    this.localPrompt =
        remoteSequences < 1
            ? Math.max(1, uncached * (1 - remoteTokens) / (1 - remoteSequences))
            : uncached;
    this.waitFactor = (1 + load.promptLengths().squaredVariation()) / 2;
    this.speed = time.prefillTokensPerSecond();
    this.prefillSlots = situation.only(WorkerRole.PREFILL).size();
    this.decodeSlots = situation.only(WorkerRole.DECODE).size();
    this.prefillTokens = situation.waitingTokens(WorkerRole.PREFILL);
    this.decodeTokens = situation.waitingTokens(WorkerRole.DECODE);
    this.running = situation.runningSequences(WorkerRole.DECODE);
    this.blocksPerSlot = situation.blocks(WorkerRole.DECODE) / (double) decodeSlots;
    this.blocksPerFresh =
        Math.max(1, (load.promptLength() + load.answerLength() / 2) / situation.blockSize());
    final double used = situation.occupancy(WorkerRole.DECODE) * blocksPerSlot * decodeSlots;
    this.blocksPerOld = used / Math.max(1, running);
  }

  /** Empty while load or speed are not known, or no slot only decodes. */
  static Optional<PoolModel> of(PlannerSettings settings, Situation situation) {
    if (situation.traffic().isEmpty() || situation.stepTime().isEmpty()) return Optional.empty();
    if (situation.only(WorkerRole.DECODE).isEmpty()) return Optional.empty();
    return Optional.of(
        new PoolModel(settings, situation, situation.traffic().get(), situation.stepTime().get()));
  }

  /** By the running sequences: slots with both roles serve the rest. */
  private static double share(Situation situation) {
    final int own = situation.runningSequences(WorkerRole.DECODE);
    final int all =
        situation.slots().stream()
            .filter(slot -> slot.roles().contains(WorkerRole.DECODE))
            .mapToInt(slot -> slot.load().runningSequences())
            .sum();
    return all == 0 ? 1 : (double) own / all;
  }

  /**
   * What to expect.
   *
   * @param goodput share of the sequences that meet both targets
   * @param prefillPressure prefill work over what the prefill slots can do in the horizon
   * @param decodePressure sequences to hold over what the decode slots can at the ITL target
   */
  record Outlook(double goodput, double prefillPressure, double decodePressure) {
    private static final double SERVED_WEIGHT = 0.3;
    private static final double ROOM_WEIGHT = 0.03;

    /**
     * What to make great: goodput; what can be served at all, which decides where no split meets
     * the targets; and a little room, which decides where any split does.
     */
    double score() {
      final double pressure = Math.max(prefillPressure, decodePressure);
      return goodput + SERVED_WEIGHT / Math.max(1, pressure) + ROOM_WEIGHT / (1 + pressure);
    }
  }

  /**
   * @param moves slots that go from decode to prefill now; negative for the other way
   */
  Outlook after(int moves) {
    final double horizonS = settings.forecasting().horizon().toNanos() / 1e9;
    final PoolRollout rollout = new PoolRollout(this, moves);
    double goodput = 0;
    for (int i = 0; i < STEPS; i++) goodput += rollout.step(horizonS / STEPS) / STEPS;
    final int prefill = prefillSlots + moves;
    final int decode = decodeSlots - moves;
    final double prefillWork = rate * remoteSequences * remotePrompt * horizonS + prefillTokens;
    final double prefillPressure = prefill == 0 ? 0 : prefillWork / (prefill * speed * horizonS);
    return new Outlook(goodput, prefillPressure, decodePressure(prefill, decode));
  }

  /** Of the sequences that start alone: those that run will have ended. */
  private double decodePressure(int prefill, int decode) {
    final double local = rate * (prefill == 0 ? 1 : 1 - remoteSequences) / decode;
    final double target = settings.itlTargetS();
    final double free = target * (1 - promptTimeShare(local, localPrompt, target)) - time.base();
    final double perSequence = time.perSequence() + time.perBlock() * blocksPerFresh;
    final double byTime = free <= 0 ? 0 : perSequence > 0 ? free / perSequence : Double.MAX_VALUE;
    final double held = Math.max(0.1, Math.min(byTime, blocksPerSlot / blocksPerFresh));
    return rate * load.answerLength() * settings.itlTargetS() / (decode * held);
  }

  /**
   * Of a decode slot's time, what prompts take: each starts in some step, in which the others wait.
   *
   * @param perSecond prompts that a slot computes
   * @param stepS seconds of a step without prompts
   */
  double promptTimeShare(double perSecond, double promptTokens, double stepS) {
    final double starts = Math.min(perSecond, 1 / stepS);
    final double share =
        starts * time.perPrompts() + perSecond * promptTokens * time.perPromptToken();
    return Math.min(PoolRollout.PROMPT_SHARE_MAX, share);
  }
}
