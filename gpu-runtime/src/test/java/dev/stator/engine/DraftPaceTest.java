package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DraftPaceTest {
  private final DraftPace pace = new DraftPace(6);

  @Test
  void shouldDraftTwiceAsManyUpToTheMostWhenAllWereRight() {
    assertEquals(2, pace.next());
    pace.verified(2, 2);
    assertEquals(4, pace.next());
    pace.verified(4, 4);
    assertEquals(6, pace.next());
  }

  @Test
  void shouldDraftOneMoreThanWereRightWhenSomeWere() {
    pace.verified(6, 3);
    assertEquals(4, pace.next());
    pace.verified(4, 1);
    assertEquals(2, pace.next());
  }

  @Test
  void shouldKeepItsCountWhenFewerWereDraftedThanWanted() {
    pace.verified(2, 2);
    pace.verified(1, 1);
    assertEquals(4, pace.next());
    pace.verified(0, 0);
    assertEquals(4, pace.next());
  }

  @Test
  void shouldPauseLongerEachTimeWhenAllWereWrong() {
    final List<Integer> pauses = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      pace.verified(1, 0);
      int pause = 0;
      while (pace.next() == 0) pause++;
      pauses.add(pause);
    }
    assertEquals(List.of(1, 2, 4, 8, 16, 32, 32, 32), pauses);
    pace.verified(1, 1);
    assertEquals(2, pace.next());
    pace.verified(2, 0);
    assertEquals(0, pace.next());
    assertEquals(1, pace.next());
  }

  @Test
  void shouldNotDraftMoreThanTheMostAtFirst() {
    assertEquals(1, new DraftPace(1).next());
  }
}
