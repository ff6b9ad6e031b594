package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ContestTest {
  /** Takes what it is told to, first while it is tried, then in turns. */
  private static final class Told implements Contest.Timed {
    private final double[] seconds;
    private int runs;
    private int open;

    private Told(double... seconds) {
      this.seconds = seconds;
    }

    @Override
    public void ready() {
      open = 1;
    }

    @Override
    public double seconds() {
      assertEquals(1, open);
      return seconds[Math.min(runs++, seconds.length - 1)];
    }

    @Override
    public void close() {
      open = 0;
    }
  }

  @Test
  void shouldMeasureTheChosenAgainBesideOurs() {
    final var ours = new Told(4, 4, 4, 6, 5, 4);
    final var same = new Told(3, 2, 3, 4, 4, 4);
    final var slow = new Told(9);
    final var fast = new Told(1, 1, 1, 2, 2.5, 7);
    final Contest.Result result =
        new Contest(3)
            .run(
                "this",
                List.of(
                    new Contest.Entry("ours", true, ours),
                    new Contest.Entry("same", true, same),
                    new Contest.Entry("slow", false, slow),
                    new Contest.Entry("fast", false, fast)));
    assertEquals(1, result.sameBits());
    assertEquals(3, result.fastest());
    final Price price = result.price();
    assertEquals("this", price.what());
    assertEquals(4, price.candidates());
    assertEquals(new Price.Timing("ours", 5), price.ours());
    assertEquals(new Price.Timing("same", 4), price.sameBits());
    assertEquals(new Price.Timing("fast", 2.5), price.fastest());
    assertEquals(2, price.ratio());
    assertEquals(1.25, price.choiceRatio());
    for (Told each : List.of(ours, same, slow, fast)) assertEquals(0, each.open);
    assertEquals(3, slow.runs, "it is out");
  }

  @Test
  void shouldBeOneWhereOursIsTheFastest() {
    final Contest.Result result =
        new Contest(1)
            .run(
                "this",
                List.of(
                    new Contest.Entry("ours", true, new Told(1)),
                    new Contest.Entry("other", false, new Told(2))));
    assertEquals(1, result.price().ratio());
    assertEquals(1, result.price().choiceRatio());
    assertEquals(0, result.fastest());
    assertTrue(result.price().fastest().equals(result.price().ours()));
  }
}
