package dev.stator.engine;

import dev.stator.device.StepOutput;
import dev.stator.engine.SampledToken.Alternative;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Chooses the next token from the logits.
 *
 * <pre>
 *   logits ─▶ what a constraint rules out is gone ─▶ log-probabilities (if asked for)
 *     │
 *     ▼ repetition, frequency, presence penalty; bias; end and stop tokens banned before min_tokens
 *   scores ─▶ greedy: the largest, of equals the smallest token
 *     │
 *     ▼ / temperature, top-k, top-p (of what top-k left), min-p (of the likeliest)
 *   weights ─▶ the token at which their running sum passes uniform(seed, position) * sum
 * </pre>
 *
 * <p>Every sum has one order and every function is made of additions and multiplications ({@link
 * StrictExp}) or from {@link StrictMath}: the choice depends on logits, tokens, parameters and
 * position alone.
 *
 * <p><b>Threads:</b> one at a time; it holds scratch arrays.
 */
final class Sampler {
  /** What came of the logits. */
  sealed interface Outcome {
    record Chosen(SampledToken token) implements Outcome {}

    /** The logits allow no choice; the reason is one sentence. */
    record Failed(String reason) implements Outcome {}
  }

  private static final List<Alternative> NO_ALTERNATIVES = List.of();
  private static final int FIRST_NUCLEUS = 64;
  private static final int NUCLEUS_GROWTH = 16;

  private final TopTokens topTokens = new TopTokens();
  private final int[] counts; // Zero between calls.
  private final float[] rawLogits;
  private final double[] weights;

  Sampler(int vocabularySize) {
    this.counts = new int[vocabularySize];
    this.rawLogits = new float[vocabularySize];
    this.weights = new double[vocabularySize];
  }

  /** Whether the likeliest token is the choice, whatever the other logits are. */
  static boolean takesTheBest(Sequence sequence) {
    final SamplingParams params = sequence.params();
    return params.temperature() == 0
        && !params.logprobs()
        && params.repetitionPenalty() == 1
        && params.frequencyPenalty() == 0
        && params.presencePenalty() == 0
        && params.logitBias().isEmpty()
        && sequence.constraint() == null
        && sequence.answerLength() >= params.minTokens();
  }

  /**
   * Chooses the token behind a sequence's last one.
   *
   * @param slice the sequence's in the step
   * @param row of the slice's logits, from 0
   */
  Outcome sample(Sequence sequence, StepOutput output, int slice, int row) {
    if (takesTheBest(sequence)) {
      final int best = output.best(slice, row);
      if (best >= 0) return chosen(best);
    }
    return sample(sequence, output.logits(slice, row));
  }

  private static Outcome chosen(int token) {
    return new Outcome.Chosen(new SampledToken(token, Float.NaN, NO_ALTERNATIVES));
  }

  /**
   * Chooses the token behind a sequence's last one.
   *
   * @param logits one a vocabulary entry; overwritten
   */
  Outcome sample(Sequence sequence, float[] logits) {
    final SamplingParams params = sequence.params();
    int likeliest = likeliest(logits);
    if (likeliest < 0) return notFinite(sequence, logits);
    final ConstrainedAnswer constraint = sequence.constraint();
    final boolean isOneEnough = params.temperature() == 0 && !params.logprobs();
    if (constraint != null) {
      final String trouble = constraint.readUpTo(sequence);
      if (trouble != null) return new Outcome.Failed(trouble);
      if (!isOneEnough) {
        if (!constraint.mask(logits)) return tooAmbiguous(sequence);
        likeliest = likeliest(logits);
      }
    }
    if (params.logprobs()) System.arraycopy(logits, 0, rawLogits, 0, logits.length);
    applyPenalties(sequence, logits);
    applyRules(sequence, logits);
    int best = likeliest(logits);
    if (best < 0) return notFinite(sequence, logits);
    if (constraint != null && isOneEnough && !constraint.allows(best)) {
      if (!constraint.mask(logits)) return tooAmbiguous(sequence);
      best = likeliest(logits);
    }
    if (logits[best] == Float.NEGATIVE_INFINITY) {
      return new Outcome.Failed("every token is ruled out at position " + sequence.length());
    }
    final int token = params.temperature() == 0 ? best : draw(sequence, logits, logits[best]);
    if (!params.logprobs()) return chosen(token);
    return new Outcome.Chosen(withLogprobs(token, rawLogits[likeliest], params.topLogprobs()));
  }

  /** The first of the largest; -1 when one is NaN or plus infinity. */
  private static int likeliest(float[] logits) {
    int best = 0;
    for (int token = 0; token < logits.length; token++) {
      if (!(logits[token] < Float.POSITIVE_INFINITY)) return -1;
      if (logits[token] > logits[best]) best = token;
    }
    return best;
  }

  private static Outcome tooAmbiguous(Sequence sequence) {
    return new Outcome.Failed(
        "the constraint is too ambiguous at position %d (stator.grammar.walk-max)"
            .formatted(sequence.length()));
  }

  private static Outcome notFinite(Sequence sequence, float[] logits) {
    for (int token = 0; ; token++) {
      if (!(logits[token] < Float.POSITIVE_INFINITY)) {
        return new Outcome.Failed(
            "the logit of token %d at position %d is %s"
                .formatted(token, sequence.length(), logits[token]));
      }
    }
  }

  /** As vLLM does: repetition over prompt and answer, frequency and presence over the answer. */
  private void applyPenalties(Sequence sequence, float[] logits) {
    final SamplingParams params = sequence.params();
    final int[] tokens = sequence.tokens();
    final int length = sequence.length();
    final float repetition = params.repetitionPenalty();
    if (repetition != 1) {
      for (int i = 0; i < length; i++) {
        final int token = tokens[i];
        if (counts[token]++ > 0) continue;
        logits[token] = logits[token] > 0 ? logits[token] / repetition : logits[token] * repetition;
      }
      for (int i = 0; i < length; i++) counts[tokens[i]] = 0;
    }
    if (params.frequencyPenalty() != 0 || params.presencePenalty() != 0) {
      for (int i = sequence.promptLength(); i < length; i++) counts[tokens[i]]++;
      for (int i = sequence.promptLength(); i < length; i++) {
        final int token = tokens[i];
        if (counts[token] == 0) continue;
        logits[token] -= params.frequencyPenalty() * counts[token];
        logits[token] -= params.presencePenalty();
        counts[token] = 0;
      }
    }
  }

  private static void applyRules(Sequence sequence, float[] logits) {
    final LogitRules rules = sequence.rules();
    for (int i = 0; i < rules.biasTokens().length; i++) {
      logits[rules.biasTokens()[i]] += rules.biases()[i];
    }
    final boolean isOver = sequence.constraint() != null && sequence.constraint().isOver();
    if (sequence.answerLength() < sequence.params().minTokens() && !isOver) {
      for (int token : rules.stopTokens()) logits[token] = Float.NEGATIVE_INFINITY;
    }
  }

  private int draw(Sequence sequence, float[] logits, float best) {
    final SamplingParams params = sequence.params();
    final double uniform = Philox.uniform(params.seed(), sequence.length());
    final double inverseTemperature = 1.0 / params.temperature();
    if (params.topK() == 0 && params.topP() == 1) {
      for (int token = 0; token < logits.length; token++) {
        weights[token] = weight(logits[token], best, inverseTemperature, params.minP());
      }
      return pick(weights, logits.length, uniform);
    }
    final int[] candidates = candidates(params, logits, best, inverseTemperature);
    for (int i = 0; i < candidates.length; i++) {
      weights[i] = weight(logits[candidates[i]], best, inverseTemperature, params.minP());
    }
    return candidates[pick(weights, candidates.length, uniform)];
  }

  /** A token's probability as a fraction of the likeliest one's; 0 below {@code minimum}. */
  private static double weight(float logit, float best, double inverseTemperature, double minimum) {
    final double weight = StrictExp.exp(((double) logit - best) * inverseTemperature);
    return weight < minimum ? 0 : weight;
  }

  /** The tokens that top-k and top-p leave, likeliest first. */
  private int[] candidates(
      SamplingParams params, float[] logits, float best, double inverseTemperature) {
    final int kept = params.topK() == 0 ? logits.length : Math.min(params.topK(), logits.length);
    if (params.topP() == 1) return topTokens.pick(logits, kept);
    if (params.topK() > 0) {
      final int[] tokens = topTokens.pick(logits, kept);
      double sum = 0;
      for (int token : tokens) sum += weight(logits[token], best, inverseTemperature, 0);
      return nucleus(tokens, params.topP() * sum, logits, best, inverseTemperature);
    }
    double sum = 0;
    for (float logit : logits) sum += weight(logit, best, inverseTemperature, 0);
    final double wanted = params.topP() * sum;
    int count = Math.min(FIRST_NUCLEUS, logits.length);
    while (true) {
      final int[] tokens = topTokens.pick(logits, count);
      final int[] nucleus = nucleus(tokens, wanted, logits, best, inverseTemperature);
      if (nucleus.length < count || count == logits.length) return nucleus;
      count = (int) Math.min((long) count * NUCLEUS_GROWTH, logits.length);
    }
  }

  /** The shortest start of {@code tokens} whose weights reach {@code wanted}; all, if none does. */
  private static int[] nucleus(
      int[] tokens, double wanted, float[] logits, float best, double inverseTemperature) {
    double sum = 0;
    for (int i = 0; i < tokens.length; i++) {
      sum += weight(logits[tokens[i]], best, inverseTemperature, 0);
      if (sum >= wanted) return Arrays.copyOf(tokens, i + 1);
    }
    return tokens;
  }

  /** The index at which the running sum passes {@code uniform * sum}; never one of weight 0. */
  private static int pick(double[] weights, int count, double uniform) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += weights[i];
    final double target = uniform * sum;
    double passed = 0;
    int last = 0;
    for (int i = 0; i < count; i++) {
      if (weights[i] == 0) continue;
      passed += weights[i];
      last = i;
      if (passed > target) break;
    }
    return last;
  }

  private SampledToken withLogprobs(int token, float largest, int alternativeCount) {
    double sum = 0;
    for (float logit : rawLogits) sum += StrictExp.exp((double) logit - largest);
    final double logSum = StrictMath.log(sum) + largest;
    final List<Alternative> alternatives = new ArrayList<>(alternativeCount);
    final int count = Math.min(alternativeCount, rawLogits.length);
    for (int other : topTokens.pick(rawLogits, count)) {
      if (rawLogits[other] == Float.NEGATIVE_INFINITY) break; // Ruled out by a constraint.
      alternatives.add(new Alternative(other, (float) (rawLogits[other] - logSum)));
    }
    return new SampledToken(token, (float) (rawLogits[token] - logSum), alternatives);
  }
}
