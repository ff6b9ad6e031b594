package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TopTokensTest {
  private final TopTokens topTokens = new TopTokens();

  @Test
  void shouldPickTheSameByHeapAndBySortWhenMostAreEqual() {
    final Random random = new Random(5);
    for (int round = 0; round < 300; round++) {
      final float[] logits = new float[1 + random.nextInt(60)];
      for (int i = 0; i < logits.length; i++) logits[i] = (random.nextInt(9) - 4) * 0.5f;
      if (random.nextBoolean()) logits[random.nextInt(logits.length)] = Float.NEGATIVE_INFINITY;
      if (random.nextBoolean()) logits[random.nextInt(logits.length)] = -0.0f;
      final int count = random.nextInt(logits.length + 1);
      final int[] expected =
          IntStream.range(0, logits.length)
              .boxed()
              .sorted(
                  Comparator.<Integer>comparingDouble(token -> -(logits[token] + 0.0f))
                      .thenComparingInt(token -> token))
              .limit(count)
              .mapToInt(Integer::intValue)
              .toArray();
      assertArrayEquals(expected, topTokens.pickByHeap(logits, count));
      assertArrayEquals(expected, TopTokens.pickBySort(logits, count));
    }
  }

  @Test
  void shouldPickMoreThanTheHeapHolds() {
    final float[] logits = new float[3 * TopTokens.HEAP_MAX];
    for (int i = 0; i < logits.length; i++) logits[i] = i;
    final int count = 2 * TopTokens.HEAP_MAX;
    assertArrayEquals(
        IntStream.range(0, count).map(i -> logits.length - 1 - i).toArray(),
        topTokens.pick(logits, count));
    assertThrows(IllegalArgumentException.class, () -> topTokens.pick(logits, logits.length + 1));
  }
}
