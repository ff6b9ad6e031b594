package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadProgressTest {
  private static final long GIB = 1L << 30;

  private final List<String> lines = new ArrayList<>();
  private long nowNs = 77;

  @Test
  void shouldSayHowFarItIsOnceASecondAndHowLongItTook() {
    final LoadProgress progress = new LoadProgress(2 * GIB, () -> nowNs, lines::add);
    progress.add(GIB / 2);
    assertEquals(List.of(), lines);
    nowNs += LoadProgress.INTERVAL_NS;
    progress.add(GIB / 2);
    progress.add(GIB / 2);
    nowNs += LoadProgress.INTERVAL_NS;
    progress.add(GIB / 2);
    progress.finish();
    assertEquals(
        List.of(
            "Weights: 50 %, 1.0 of 2.0 GiB",
            "Weights: 100 %, 2.0 of 2.0 GiB", "Weights: 2.0 GiB loaded in 2.0 s"),
        lines);
  }

  @Test
  void shouldSayNothingOfWhatIsQuickOrSmall() {
    final LoadProgress quick = new LoadProgress(2 * GIB, () -> nowNs, lines::add);
    quick.add(2 * GIB);
    quick.finish();
    final LoadProgress small = new LoadProgress(100, () -> nowNs, lines::add);
    nowNs += 5 * LoadProgress.INTERVAL_NS;
    small.add(100);
    small.finish();
    assertEquals(List.of(), lines);
  }
}
