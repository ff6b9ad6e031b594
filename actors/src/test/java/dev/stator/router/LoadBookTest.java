package dev.stator.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.engine.RequestId;
import dev.stator.protocol.WorkerId;
import dev.stator.router.LoadBook.Booking;
import dev.stator.router.LoadBook.Load;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LoadBookTest {
  private static final WorkerId A = new WorkerId("a", 0);
  private static final WorkerId B = new WorkerId("b", 0);
  private static final RequestId FIRST = new RequestId("first/0");

  private final LoadBook book = new LoadBook();

  @Test
  void shouldCountThePromptWhereItIsComputedUntilTheFirstToken() {
    book.book(new Booking(FIRST, 0, A, B, 100, 7));
    assertEquals(new Load(1, 0, 7), book.load(A));
    assertEquals(new Load(0, 100, 0), book.load(B));
    book.prefillFinished(FIRST, 0);
    assertEquals(Load.NONE, book.load(B));
    assertTrue(book.ended(FIRST, 0));
    assertEquals(Load.NONE, book.load(A));
    assertFalse(book.ended(FIRST, 0));
  }

  @Test
  void shouldNotMixUpAttempts() {
    book.book(new Booking(FIRST, 2, A, A, 100, 7));
    book.prefillFinished(FIRST, 1);
    assertFalse(book.ended(FIRST, 1));
    assertEquals(new Load(1, 100, 7), book.load(A));
    book.book(new Booking(FIRST, 3, B, B, 10, 8));
    assertEquals(Load.NONE, book.load(A));
    assertEquals(new Load(1, 10, 8), book.load(B));
    assertEquals(1, book.size());
  }

  @Test
  void shouldForgetAWorkerInBothOfItsRoles() {
    book.book(new Booking(FIRST, 0, A, B, 100, 7));
    book.forget(B);
    assertEquals(new Load(1, 0, 7), book.load(A));
    assertEquals(Load.NONE, book.load(B));
    book.forget(A);
    assertEquals(0, book.size());
    assertEquals(Load.NONE, book.load(A));
  }

  @Test
  void shouldBeEmptyWhenEverythingHasEnded() {
    final Random random = new Random(1);
    final Map<RequestId, Integer> open = new HashMap<>();
    for (int i = 0; i < 5000; i++) {
      final RequestId id = new RequestId("r" + random.nextInt(50));
      switch (random.nextInt(3)) {
        case 0 -> {
          final int attempt = open.merge(id, 0, (old, start) -> old + 1);
          final WorkerId decode = random.nextBoolean() ? A : B;
          final WorkerId prefill = random.nextBoolean() ? A : B;
          book.book(
              new Booking(id, attempt, decode, prefill, random.nextInt(99), random.nextInt(9)));
        }
        case 1 -> book.prefillFinished(id, open.getOrDefault(id, 0));
        default -> {
          if (open.containsKey(id)) assertTrue(book.ended(id, open.remove(id)));
        }
      }
      assertEquals(open.size(), book.size());
    }
    open.forEach(book::ended);
    assertEquals(Load.NONE, book.load(A));
    assertEquals(Load.NONE, book.load(B));
  }
}
