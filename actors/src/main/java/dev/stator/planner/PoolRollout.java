package dev.stator.planner;

/**
 * Both pools as fluids, step by step from where they stand now, with a queueing term for chance.
 *
 * <pre>
 *   long prompts ──▶ queue ── k slots ─────────┐
 *                      │ too long, or no room  ▼
 *   short prompts ──▶ local queue ── m slots ──▶ fresh + old sequences ── a token each per step ──▶ ends
 * </pre>
 *
 * <ul>
 *   <li>TTFT: the queue ahead, the prompt's own time, and a random wait that exceeds t with the
 *       probability rho^(sqrt(2(k+1))-1) * exp(-t / w), w = (1 + cs^2)/2 * service time / (k (1 -
 *       rho)): the M/G/k approximation of Sakasegawa (1977) with an exponential tail; cs^2 is the
 *       prompts' measured variation.
 *   <li>ITL: the step time at the sequences of a slot, their number about normal with its mean for
 *       variance (as in M/G/inf), stretched by the share of time that prompts computed here take.
 *   <li>A slot that changes its role takes new work at once but is slowed by what it has to finish.
 * </ul>
 *
 * One use, one thread.
 */
final class PoolRollout {
  static final double PROMPT_SHARE_MAX = 0.95; // Of a decode slot's time.
  private static final double RHO_MAX = 0.98; // Beyond, the fluid queue tells the wait.

  private final PoolModel model;
  private final double prefillStart;
  private final double prefillEnd;
  private final double decodeStart;
  private final double decodeEnd;
  private final double settleS; // Until moved slots have finished what they had.
  private double nowS;

  // Slots at work now.
  private double prefill;
  private double decode;

  // Tokens that wait.
  private double queue;
  private double localQueue;

  // Sequences that ran at the start, and that have started since.
  private double old;
  private double fresh;

  /**
   * @param moves slots that go from decode to prefill now; negative for the other way
   */
  PoolRollout(PoolModel model, int moves) {
    this.model = model;
    prefillEnd = model.prefillSlots + moves;
    decodeEnd = model.decodeSlots - moves;
    prefillStart = Math.min(model.prefillSlots, prefillEnd);
    decodeStart = Math.min(model.decodeSlots, decodeEnd);
    final double prefillShare = model.prefillSlots == 0 ? 1 : prefillStart / model.prefillSlots;
    queue = model.prefillTokens * prefillShare;
    localQueue = model.decodeTokens;
    old = model.running * decodeStart / model.decodeSlots;
    decode = model.decodeSlots;
    settleS = moves > 0 ? model.load.runningAnswerLength() * stepS() : prefillSettleS();
  }

  private double prefillSettleS() {
    final double perSlot = model.prefillTokens / Math.max(1, model.prefillSlots);
    return (perSlot + model.remotePrompt) / model.speed;
  }

  /** Goes on for some seconds; returns the share of the starting sequences that do well. */
  double step(double seconds) {
    final double ramp = Math.min(1, (nowS + seconds / 2) / settleS);
    prefill = prefillStart + (prefillEnd - prefillStart) * prefillsBesides(1 - ramp);
    decode = decodeStart + (decodeEnd - decodeStart) * ramp;
    nowS += seconds;

    final double wanted = model.rate * model.remoteSequences * seconds;
    final double room = room();
    final double remote = prefill > 0 ? Math.min(wanted, room) : 0;
    queue += remote * model.remotePrompt;
    final double computed = Math.min(queue, prefill * model.speed * seconds);
    final double queueMax = prefill * model.settings.prefillQueueTokensMax();
    final double overflow = Math.max(0, queue - computed - queueMax);
    queue -= computed + overflow;

    final double shortOnes = model.rate * (1 - model.remoteSequences) * seconds;
    localQueue += shortOnes * model.localPrompt + (wanted - remote) * model.remotePrompt + overflow;
    final double localPrompt =
        localPrompt(shortOnes, wanted - remote + overflow / model.remotePrompt);
    final double canCompute = PROMPT_SHARE_MAX * decode * model.speed * seconds;
    final double local = Math.min(Math.min(localQueue, canCompute), room * localPrompt);
    localQueue -= local;

    final double promptShare =
        model.promptTimeShare(local / localPrompt / seconds / decode, localPrompt, stepS());
    run(seconds, computed / model.remotePrompt + local / localPrompt, promptShare);
    final double remoteShare =
        model.remoteSequences
            * (wanted > 0 ? Math.max(0, remote - overflow / model.remotePrompt) / wanted : 0);
    final double inTime =
        remoteShare * remoteInTime(remote * model.remotePrompt / seconds)
            + (1 - remoteShare) * localInTime(localPrompt, promptShare);
    return inTime * smooth(promptShare);
  }

  /** What a slot prefills, of what it could, while it still decodes a share of what it had. */
  private double prefillsBesides(double share) {
    final double sequences = share * model.running / model.decodeSlots;
    final double chunk = model.time.chunk();
    return model.time.seconds(chunk, 0, 0)
        / model.time.seconds(chunk, sequences, sequences * model.blocksPerOld);
  }

  /** The mean prompt that decode slots compute. */
  private double localPrompt(double shortOnes, double longOnes) {
    final double all = shortOnes + longOnes;
    if (all <= 0) return model.localPrompt;
    return (shortOnes * model.localPrompt + longOnes * model.remotePrompt) / all;
  }

  /** Sequences that the blocks would hold more. */
  private double room() {
    final double used = old * model.blocksPerOld + fresh * model.blocksPerFresh;
    return Math.max(0, (decode * model.blocksPerSlot - used) / model.blocksPerFresh);
  }

  /** Seconds of a step without prompts. */
  private double stepS() {
    final double sequences = (old + fresh) / decode;
    final double blocks = (old * model.blocksPerOld + fresh * model.blocksPerFresh) / decode;
    return model.time.seconds(0, sequences, blocks);
  }

  private void run(double seconds, double starting, double promptShare) {
    final double tokenS = stepS() / (1 - promptShare);
    old *= Math.exp(-seconds / (model.load.runningAnswerLength() * tokenS));
    final double lifeS = model.load.answerLength() * tokenS;
    final double stay = Math.exp(-seconds / lifeS);
    fresh = fresh * stay + starting / seconds * lifeS * (1 - stay);
  }

  /** Share of the prompts at the prefill slots whose first token comes in time. */
  private double remoteInTime(double tokensPerSecond) {
    if (prefill <= 0) return 0;
    final double serviceS = model.remotePrompt / model.speed;
    final double queueS = queue / (prefill * model.speed);
    final double slackS = model.settings.ttftTargetS() - serviceS - queueS - stepS();
    if (slackS <= 0) return 0;
    final double rho = Math.min(RHO_MAX, tokensPerSecond / (prefill * model.speed));
    final double waits = Math.pow(rho, Math.sqrt(2 * (prefill + 1)) - 1);
    final double meanS = model.waitFactor * serviceS / (prefill * (1 - rho));
    return 1 - waits * Math.exp(-slackS / meanS);
  }

  private double localInTime(double promptTokens, double promptShare) {
    final double serviceS = promptTokens / model.speed + stepS();
    final double queueS = localQueue / (PROMPT_SHARE_MAX * decode * model.speed);
    final double slackS = model.settings.ttftTargetS() - serviceS - queueS;
    if (slackS <= 0) return 0;
    return 1 - promptShare * Math.exp(-slackS * (1 - promptShare) / serviceS);
  }

  /** The probability that a slot's tokens come in time. */
  private double smooth(double promptShare) {
    final double stretch = 1 / (1 - promptShare);
    final double perOld = model.time.perSequence() + model.time.perBlock() * model.blocksPerOld;
    final double perFresh = model.time.perSequence() + model.time.perBlock() * model.blocksPerFresh;
    final double variance = (old * perOld * perOld + fresh * perFresh * perFresh) / decode;
    final double spread = stretch * Math.sqrt(Math.max(variance, 1e-12));
    return Normal.below((model.settings.itlTargetS() - stepS() / (1 - promptShare)) / spread);
  }
}
