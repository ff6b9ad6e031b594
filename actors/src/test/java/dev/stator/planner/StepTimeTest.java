package dev.stator.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.protocol.StepSums;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StepTimeTest {
  @Test
  void shouldFindThePricesWhenStepsAreLinear() {
    final SplittableRandom random = new SplittableRandom(3);
    StepSums sums = StepSums.NONE;
    for (int i = 0; i < 500; i++) {
      final int prompt = random.nextInt(4) == 0 ? random.nextInt(1, 2048) : 0;
      final int sequences = random.nextInt(100);
      final int blocks = random.nextInt(5000);
      final double seconds =
          0.005 + (prompt > 0 ? 0.016 : 0) + 2e-5 * prompt + 1e-4 * sequences + 3e-6 * blocks;
      sums = sums.plus(StepSums.of(prompt, sequences, blocks, seconds));
    }
    final StepTime fitted = StepTime.fit(sums).orElseThrow();
    assertEquals(0.005, fitted.base(), 1e-5);
    assertEquals(0.016, fitted.perPrompts(), 1e-5);
    assertEquals(2e-5, fitted.perPromptToken(), 1e-8);
    assertEquals(1e-4, fitted.perSequence(), 1e-7);
    assertEquals(3e-6, fitted.perBlock(), 1e-9);
    assertEquals(2048 * 2.0 / 3, fitted.chunk(), 100);
  }

  @Test
  void shouldGiveNoNegativePriceWhateverTheSteps() {
    for (int seed = 0; seed < 300; seed++) {
      final SplittableRandom random = new SplittableRandom(seed);
      StepSums sums = StepSums.NONE;
      for (int i = 0; i < 1 + seed % 7; i++) {
        sums =
            sums.plus(
                StepSums.of(
                    random.nextInt(3) * 1000,
                    random.nextInt(3),
                    random.nextInt(100),
                    random.nextDouble()));
      }
      StepTime.fit(sums)
          .ifPresent(fitted -> {
            assertTrue(fitted.base() >= 0 && fitted.perPrompts() >= 0, fitted::toString);
            assertTrue(fitted.perPromptToken() >= 0, fitted::toString);
            assertTrue(fitted.perSequence() >= 0 && fitted.perBlock() >= 0, fitted::toString);
            assertTrue(fitted.prefillTokensPerSecond() > 0, fitted::toString);
          });
    }
  }

  @Test
  void shouldFitNothingBeforeBothPhasesHaveBeenSeen() {
    assertTrue(StepTime.fit(StepSums.NONE).isEmpty());
    assertTrue(StepTime.fit(StepSums.of(100, 0, 10, 0.1)).isEmpty());
    assertTrue(StepTime.fit(StepSums.of(0, 5, 10, 0.1)).isEmpty());
    assertTrue(
        StepTime.fit(StepSums.of(100, 0, 10, 0.1).plus(StepSums.of(0, 5, 10, 0.1))).isPresent());
  }
}
