package dev.stator.request;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.Usage;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboxTest {
  private static final Completed COMPLETED = new Completed(new Usage(1, 2, 3));

  @Test
  void shouldJoinWhatWaits() {
    final Outbox outbox = new Outbox(1);
    outbox.add(0, "a", 1, List.of());
    outbox.add(0, "b", 2, List.of());
    assertEquals(new Delta(0, "ab", 3, List.of()), outbox.poll());
    assertNull(outbox.poll());
  }

  @Test
  void shouldLetChoicesTakeTurns() {
    final Outbox outbox = new Outbox(2);
    outbox.add(0, "a", 1, List.of());
    outbox.add(1, "b", 1, List.of());
    assertEquals(new Delta(0, "a", 1, List.of()), outbox.poll());
    outbox.add(0, "c", 1, List.of());
    assertEquals(new Delta(1, "b", 1, List.of()), outbox.poll());
    assertEquals(new Delta(0, "c", 1, List.of()), outbox.poll());
  }

  @Test
  void shouldKeepTokensWithoutTextUntilThereIsTextOrTheEnd() {
    final Outbox outbox = new Outbox(1);
    outbox.add(0, "", 1, List.of());
    assertNull(outbox.poll());
    outbox.finish(0, FinishReason.STOP);
    assertEquals(new Delta(0, "", 1, List.of()), outbox.poll());
    assertEquals(new Finished(0, FinishReason.STOP), outbox.poll());
    assertNull(outbox.poll());
  }

  @Test
  void shouldTellPlacementsWithTheNextText() {
    final Outbox outbox = new Outbox(2);
    outbox.place(placed(0, 0));
    assertNull(outbox.poll()); // The status of the answer is still open.
    outbox.place(placed(0, 1));
    outbox.add(0, "a", 1, List.of());
    assertEquals(placed(0, 0), outbox.poll());
    assertEquals(placed(0, 1), outbox.poll());
    assertEquals(new Delta(0, "a", 1, List.of()), outbox.poll());
    assertNull(outbox.poll());
  }

  @Test
  void shouldKeepTheLastPlacementsOnly() {
    final Outbox outbox = new Outbox(1);
    for (int attempt = 0; attempt <= Outbox.PLACEMENTS_MAX; attempt++) {
      outbox.place(placed(0, attempt));
    }
    outbox.finish(0, FinishReason.STOP);
    assertEquals(placed(0, 1), outbox.poll());
  }

  private static Placed placed(int choice, int attempt) {
    return new Placed(choice, attempt, "d/0", 0, null, false, "local: test", List.of());
  }

  @Test
  void shouldEndOnceBehindEverythingElse() {
    final Outbox outbox = new Outbox(1);
    outbox.add(0, "a", 1, List.of());
    outbox.finish(0, FinishReason.LENGTH);
    outbox.end(COMPLETED);
    outbox.end(new Failed(Failed.Kind.INTERNAL, "too late", null));
    assertTrue(outbox.hasEnd());
    assertEquals(new Delta(0, "a", 1, List.of()), outbox.poll());
    assertEquals(new Finished(0, FinishReason.LENGTH), outbox.poll());
    assertFalse(outbox.isDone());
    assertEquals(COMPLETED, outbox.poll());
    assertTrue(outbox.isDone());
    assertNull(outbox.poll());
  }

  @Test
  void shouldEndWithNothingButALastEvent() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new Outbox(1).end(new Finished(0, FinishReason.STOP)));
  }
}
