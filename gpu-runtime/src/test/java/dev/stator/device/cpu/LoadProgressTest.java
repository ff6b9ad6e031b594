package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.device.cpu.LoadProgress.Work;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadProgressTest {
  private static final long GIB = 1L << 30;
  private static final long SECOND_NS = 1_000_000_000;

  private final List<String> lines = new ArrayList<>();
  private long nowNs = 77;

  @Test
  void shouldSayHowFarItIsOnceASecondAndHowLongItTook() {
    final LoadProgress progress = progress(Work.LOADED, 2 * GIB);
    progress.add(GIB / 2);
    assertEquals(List.of(), lines);
    nowNs += SECOND_NS;
    progress.add(GIB / 2);
    progress.add(GIB / 2);
    nowNs += SECOND_NS;
    progress.add(GIB / 2);
    progress.finish();
    assertEquals(
        List.of(
            "Weights: 50 %, 1.0 of 2.0 GiB loaded",
            "Weights: 100 %, 2.0 of 2.0 GiB loaded", "Weights: 2.0 GiB loaded in 2.0 s"),
        lines);
  }

  @Test
  void shouldSayLessOftenWhatNobodyWaitsFor() {
    final LoadProgress progress = progress(Work.PACKED, 2 * GIB);
    nowNs += 9 * SECOND_NS;
    progress.add(GIB);
    assertEquals(List.of(), lines);
    nowNs += SECOND_NS;
    progress.add(GIB / 2);
    progress.add(GIB / 2);
    progress.finish();
    assertEquals(
        List.of("Weights: 75 %, 1.5 of 2.0 GiB packed", "Weights: 2.0 GiB packed in 10.0 s"),
        lines);
  }

  private LoadProgress progress(Work work, long bytes) {
    return new LoadProgress(work, bytes, () -> nowNs, lines::add);
  }

  @Test
  void shouldSayNothingOfWhatIsQuickOrSmall() {
    final LoadProgress quick = progress(Work.CHECKED, 2 * GIB);
    quick.add(2 * GIB);
    quick.finish();
    final LoadProgress small = progress(Work.CHECKED, 100);
    nowNs += 5 * SECOND_NS;
    small.add(100);
    small.finish();
    assertEquals(List.of(), lines);
  }
}
