package dev.stator.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AnswerPaceTest {
  private static final long NOW_NS = Long.MAX_VALUE - 5; // Clocks wrap.

  private final AnswerPace pace = new AnswerPace();

  @Test
  void shouldAnswerAtOnceWhenNothingFollows() {
    assertFalse(pace.isDue(NOW_NS));
    pace.add(true);
    assertFalse(pace.isDue(NOW_NS));
    pace.add(false);
    pace.add(true);
    assertTrue(pace.isDue(NOW_NS));
    pace.sent();
    assertFalse(pace.isDue(NOW_NS));
  }

  @Test
  void shouldAnswerManyTogetherWhileMoreFollow() {
    for (int i = 1; i < AnswerPace.TOGETHER; i++) pace.add(true);
    assertFalse(pace.isDue(NOW_NS));
    pace.add(true);
    assertTrue(pace.isDue(NOW_NS));
  }

  @Test
  void shouldNotWaitLongForWhatDoesNotCome() {
    pace.add(true);
    assertFalse(pace.isDue(NOW_NS));
    assertFalse(pace.isDue(NOW_NS + AnswerPace.PATIENCE_NS - 1));
    assertTrue(pace.isDue(NOW_NS + AnswerPace.PATIENCE_NS));
    pace.sent();
    pace.add(true);
    assertFalse(pace.isDue(NOW_NS + AnswerPace.PATIENCE_NS));
  }
}
