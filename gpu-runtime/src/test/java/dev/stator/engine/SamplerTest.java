package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.StepOutput;
import dev.stator.engine.SampledToken.Alternative;
import dev.stator.kv.BlockHasher;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class SamplerTest {
  /** Logarithms of 0.4, 0.3, 0.2, 0.1. */
  private static final float[] FOUR = logs(0.4, 0.3, 0.2, 0.1);

  private static final Set<Integer> NO_END = Set.of();
  private static final float NEVER = Float.NEGATIVE_INFINITY;
  private Requests with = new Requests();

  @Test
  void shouldTakeTheSmallestOfTheLargestWhenGreedy() {
    assertEquals(1, choose(new float[] {1, 3, 2, 3}));
  }

  @Test
  void shouldAskForTheBestAloneWhenNothingElseCounts() {
    assertEquals(new SampledToken(2, Float.NaN, List.of()), chosenFrom(bestAlone(2)));
  }

  @Test
  void shouldAskForAllLogitsWhenThereIsNoBest() {
    final StepOutput output = (slice, row) -> new float[] {1, Float.NaN};
    assertEquals(-1, output.best(0, 0));
    final var outcome = new Sampler(2).sample(sequence(NO_END, 1, 0), output, 0, 0);
    assertEquals(
        "the logit of token 1 at position 1 is NaN",
        assertInstanceOf(Sampler.Outcome.Failed.class, outcome).reason());
  }

  @Test
  void shouldAskForAllLogitsWhenTheyCount() {
    final List<Consumer<Requests>> reasons =
        List.of(
            params -> params.temperature = 1,
            params -> params.logprobs = true,
            params -> params.repetitionPenalty = 2,
            params -> params.frequencyPenalty = 1,
            params -> params.presencePenalty = 1,
            params -> params.logitBias = Map.of(0, 1f),
            params -> params.minTokens = 1);
    for (Consumer<Requests> reason : reasons) {
      with = new Requests();
      reason.accept(with);
      assertThrows(AssertionError.class, () -> chosenFrom(bestAlone(2)));
    }
  }

  private static StepOutput bestAlone(int best) {
    return new StepOutput() {
      @Override
      public float[] logits(int slice, int row) {
        throw new AssertionError("asked for all logits");
      }

      @Override
      public int best(int slice, int row) {
        return best;
      }
    };
  }

  private SampledToken chosenFrom(StepOutput output) {
    final var outcome = new Sampler(4).sample(sequence(NO_END, 1, 0), output, 0, 0);
    return assertInstanceOf(Sampler.Outcome.Chosen.class, outcome).token();
  }

  @Test
  void shouldDrawInProportion() {
    with.temperature = 1;
    assertDistribution(FOUR, 0.4, 0.3, 0.2, 0.1);
  }

  @Test
  void shouldFlattenWhenTheTemperatureIsHigh() {
    with.temperature = 2;
    final double sum = Math.sqrt(0.4) + Math.sqrt(0.3) + Math.sqrt(0.2) + Math.sqrt(0.1);
    assertDistribution(
        FOUR,
        Math.sqrt(0.4) / sum,
        Math.sqrt(0.3) / sum,
        Math.sqrt(0.2) / sum,
        Math.sqrt(0.1) / sum);
  }

  @Test
  void shouldBeGreedyWhenTheTemperatureIsTiny() {
    with.temperature = Float.MIN_VALUE;
    assertDistribution(FOUR, 1, 0, 0, 0);
  }

  @Test
  void shouldBeUniformOverWhatIsPossibleWhenTheTemperatureIsInfinite() {
    with.temperature = Float.POSITIVE_INFINITY;
    assertDistribution(new float[] {5, NEVER, -5, 0}, 1 / 3.0, 0, 1 / 3.0, 1 / 3.0);
  }

  @Test
  void shouldKeepTheLikeliestWhenTopK() {
    with.temperature = 1;
    with.topK = 2;
    assertDistribution(FOUR, 0.4 / 0.7, 0.3 / 0.7, 0, 0);
    with.topK = 100;
    assertDistribution(FOUR, 0.4, 0.3, 0.2, 0.1);
  }

  @Test
  void shouldKeepTheFirstOfEqualsWhenTopK() {
    with.temperature = 1;
    with.topK = 2;
    assertDistribution(new float[] {0, 1, 1, 1}, 0, 0.5, 0.5, 0);
  }

  @Test
  void shouldKeepTheSmallestSetThatReachesTopP() {
    with.temperature = 1;
    with.topP = 0.69f;
    assertDistribution(FOUR, 0.4 / 0.7, 0.3 / 0.7, 0, 0);
    with.topP = 0.71f;
    assertDistribution(FOUR, 0.4 / 0.9, 0.3 / 0.9, 0.2 / 0.9, 0);
    with.topP = 0.01f;
    assertDistribution(FOUR, 1, 0, 0, 0);
  }

  @Test
  void shouldMeasureTopPWithinTopK() {
    with.temperature = 1;
    with.topK = 2;
    with.topP = 0.5f; // 0.4 of 0.7 is enough.
    assertDistribution(FOUR, 1, 0, 0, 0);
  }

  @Test
  void shouldFindTheNucleusWhenItIsLargerThanTheFirstGuess() {
    with.temperature = 1;
    with.topP = 0.5f;
    final float[] equal = new float[4000];
    final Set<Integer> drawn = new TreeSet<>();
    for (int seed = 0; seed < 3000; seed++) {
      with.seed = seed;
      drawn.add(choose(equal));
    }
    assertTrue(drawn.stream().allMatch(token -> token < 2000), "half of the mass, smallest first");
    assertTrue(drawn.stream().anyMatch(token -> token > 1900));
  }

  @Test
  void shouldDropTheUnlikelyWhenMinP() {
    with.temperature = 1;
    with.minP = 0.6f; // Of 0.4: at least 0.24.
    assertDistribution(FOUR, 0.4 / 0.7, 0.3 / 0.7, 0, 0);
    with.topK = 3;
    with.minP = 0.49f;
    assertDistribution(FOUR, 0.4 / 0.9, 0.3 / 0.9, 0.2 / 0.9, 0);
  }

  @Test
  void shouldPenaliseRepetitionInPromptAndAnswerOnce() {
    with.repetitionPenalty = 2;
    assertScores(new float[] {2, 2, -2, 2}, new float[] {1, 1, -4, 2}, 1, 0, 0, 1, 2);
  }

  @Test
  void shouldPenaliseFrequencyAndPresenceInTheAnswerOnly() {
    with.frequencyPenalty = 0.5f;
    with.presencePenalty = 0.25f;
    assertScores(new float[] {2, 2, 2, 2}, new float[] {2, 0.75f, 1.25f, 2}, 2, 0, 0, 1, 2, 1);
  }

  @Test
  void shouldAddTheBiasAfterThePenalties() {
    with.repetitionPenalty = 2;
    with.logitBias = Map.of(0, 3f, 3, -1f);
    assertScores(new float[] {2, 2, 2, 2}, new float[] {4, 2, 2, 1}, 1, 0);
  }

  @Test
  void shouldNotEndBeforeMinTokens() {
    with.minTokens = 2;
    with.stopTokenIds = Set.of(1);
    final float[] logits = {5, 4, 3, 2};
    assertEquals(2, choose(logits, Set.of(0), 1, 9));
    assertEquals(2, choose(logits, Set.of(0), 1, 9, 9));
    assertEquals(0, choose(logits, Set.of(0), 1, 9, 9, 9));
    with.ignoreEnd = true;
    assertEquals(0, choose(logits, Set.of(0), 1, 9));
  }

  @Test
  void shouldReportTheModelsOwnDistribution() {
    with.logprobs = true;
    with.topLogprobs = 2;
    with.temperature = 0.1f;
    with.topK = 1;
    with.logitBias = Map.of(3, 100f);
    final SampledToken token = sample(FOUR, NO_END, 1, 9);
    assertEquals(3, token.tokenId());
    assertEquals(Math.log(0.1), token.logprob(), 1e-6);
    assertEquals(List.of(0, 1), token.alternatives().stream().map(Alternative::tokenId).toList());
    assertEquals(Math.log(0.4), token.alternatives().get(0).logprob(), 1e-6);
    assertEquals(Math.log(0.3), token.alternatives().get(1).logprob(), 1e-6);
  }

  @Test
  void shouldReportNothingUnlessAsked() {
    final SampledToken token = sample(FOUR, NO_END, 1, 9);
    assertTrue(Float.isNaN(token.logprob()));
    assertEquals(List.of(), token.alternatives());
  }

  @Test
  void shouldDependOnSeedAndPositionAlone() {
    with.temperature = 1;
    final int[] tokens = new int[200];
    final StringBuilder forwards = new StringBuilder();
    final StringBuilder backwards = new StringBuilder();
    for (int length = 1; length < 200; length++) {
      forwards.append(choose(FOUR, NO_END, 1, Arrays.copyOf(tokens, length)));
    }
    for (int length = 199; length > 0; length--) {
      backwards.append(choose(FOUR, NO_END, 1, Arrays.copyOf(tokens, length)));
    }
    for (int length = 1; length < 200; length++) {
      final int choice = choose(FOUR, NO_END, length, Arrays.copyOf(tokens, length));
      assertEquals(forwards.charAt(length - 1), '0' + choice);
    }
    assertEquals(forwards.toString(), backwards.reverse().toString());
    assertTrue(forwards.chars().distinct().count() == 4);
  }

  @Test
  void shouldFailWhenALogitIsNotANumber() {
    assertFails("the logit of token 2 at position 1 is NaN", 0, 1, Float.NaN, 2);
    assertFails("the logit of token 0 at position 1 is Infinity", Float.POSITIVE_INFINITY, 1, 2, 2);
    with.logitBias = Map.of(1, Float.NaN);
    assertFails("the logit of token 1 at position 1 is NaN", 0, 1, 2, 3);
  }

  @Test
  void shouldFailWhenEveryTokenIsRuledOut() {
    with.minTokens = 1;
    with.stopTokenIds = Set.of(0, 1, 2, 3);
    assertFails("every token is ruled out at position 1", 0, 1, 2, 3);
  }

  private void assertFails(String reason, float... logits) {
    final Sampler.Outcome outcome =
        new Sampler(logits.length).sample(sequence(NO_END, 1, 0), logits.clone());
    assertEquals(reason, assertInstanceOf(Sampler.Outcome.Failed.class, outcome).reason());
  }

  /** Draws with many seeds and tests the counts with Pearson's chi-squared test, 1 in 1000. */
  private void assertDistribution(float[] logits, double... expected) {
    final int draws = 4000;
    final int[] counts = new int[expected.length];
    for (int seed = 0; seed < draws; seed++) {
      with.seed = seed;
      counts[choose(logits)]++;
    }
    double chiSquare = 0;
    for (int i = 0; i < expected.length; i++) {
      final double mean = expected[i] * draws;
      if (mean == 0) assertEquals(0, counts[i], "token " + i);
      else chiSquare += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    assertTrue(chiSquare < 16.3, "3 degrees of freedom: " + Arrays.toString(counts));
  }

  /** What the sampler leaves in the logits when it is greedy: the scores. */
  private void assertScores(float[] logits, float[] expected, int promptLength, int... tokens) {
    final Sequence sequence = sequence(NO_END, promptLength, tokens);
    final float[] scores = logits.clone();
    new Sampler(scores.length).sample(sequence, scores);
    assertEquals(Arrays.toString(expected), Arrays.toString(scores));
  }

  private int choose(float[] logits) {
    return choose(logits, NO_END, 1, 0);
  }

  private int choose(float[] logits, Set<Integer> end, int promptLength, int... tokens) {
    return sample(logits, end, promptLength, tokens).tokenId();
  }

  private SampledToken sample(float[] logits, Set<Integer> end, int promptLength, int... tokens) {
    final Sampler.Outcome outcome =
        new Sampler(logits.length).sample(sequence(end, promptLength, tokens), logits.clone());
    return assertInstanceOf(Sampler.Outcome.Chosen.class, outcome).token();
  }

  private Sequence sequence(Set<Integer> end, int promptLength, int... tokens) {
    return new Sequence(
        with.moved("id", promptLength, tokens),
        Sequence.Kind.ANSWER,
        0,
        1000,
        LogitRules.of(with.params(), end),
        null,
        new BlockHasher("", 16));
  }

  private static float[] logs(double... probabilities) {
    final float[] logs = new float[probabilities.length];
    for (int i = 0; i < logs.length; i++) logs[i] = (float) Math.log(probabilities[i]);
    return logs;
  }
}
