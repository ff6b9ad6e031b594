package dev.stator.device.cuda;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Finds the fastest of several ways to do a thing, and measures it beside ours in turns: the
 * choosing takes the least of a few times, which would flatter, so it is measured again.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class Contest {
  private static final int TRIALS = 3;

  /** A way to do the thing. */
  record Entry(String name, boolean hasOurBits, Timed timed) {}

  /** What is measured. */
  interface Timed extends AutoCloseable {
    /** Does all that only the first run needs, unless that is done. */
    void ready();

    /** Runs; seconds of one. */
    double seconds();

    /** Frees what {@link #ready} took; it may be called again. */
    @Override
    void close();
  }

  /** A price, and which entries it is of. */
  record Result(Price price, int sameBits, int fastest) {}

  private final int rounds;

  /**
   * @param rounds in which the chosen take turns
   */
  Contest(int rounds) {
    this.rounds = rounds;
  }

  /**
   * @param entries ours first
   */
  Result run(String what, List<Entry> entries) {
    final double[] seconds = new double[entries.size()];
    for (int i = 0; i < seconds.length; i++) seconds[i] = trial(entries.get(i).timed);
    final int fastest = least(seconds, IntStream.range(0, seconds.length));
    final int sameBits =
        least(seconds, IntStream.range(0, seconds.length).filter(i -> entries.get(i).hasOurBits));
    final int[] chosen = IntStream.of(0, sameBits, fastest).distinct().toArray();
    final double[] medians = inTurns(entries, chosen);
    return new Result(
        new Price(
            what,
            entries.size(),
            timing(entries, chosen, medians, 0),
            timing(entries, chosen, medians, sameBits),
            timing(entries, chosen, medians, fastest)),
        sameBits,
        fastest);
  }

  private double trial(Timed timed) {
    try (timed) {
      timed.ready();
      double least = Double.POSITIVE_INFINITY;
      for (int i = 0; i < Math.min(TRIALS, rounds); i++) least = Math.min(least, timed.seconds());
      return least;
    }
  }

  /** The first of the least. */
  private static int least(double[] seconds, IntStream of) {
    return of.reduce((a, b) -> seconds[b] < seconds[a] ? b : a).orElseThrow();
  }

  private double[] inTurns(List<Entry> entries, int... chosen) {
    final double[][] seconds = new double[chosen.length][rounds];
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < chosen.length; i++) {
        final Timed timed = entries.get(chosen[i]).timed;
        timed.ready();
        seconds[i][round] = timed.seconds();
      }
    }
    for (int index : chosen) entries.get(index).timed.close();
    return Arrays.stream(seconds).mapToDouble(CudaBenchmark::median).toArray();
  }

  private static Price.Timing timing(
      List<Entry> entries, int[] chosen, double[] medians, int index) {
    int at = 0;
    while (chosen[at] != index) at++;
    return new Price.Timing(entries.get(index).name, medians[at]);
  }

  /** Work that is recorded as a graph, so that only the device's time counts. */
  static final class Recorded implements Timed {
    private static final int LAUNCHES = 4; // One waits for the device, the others follow at once.

    private final Driver.Stream stream;
    private final int times;
    private final Runnable work;
    private Driver.Graph graph; // Null until ready.

    /**
     * @param times that {@code work} does the thing
     */
    Recorded(Driver.Stream stream, int times, Runnable work) {
      this.stream = stream;
      this.times = times;
      this.work = work;
    }

    @Override
    public void ready() {
      if (graph != null) return;
      work.run(); // Kernels are loaded here, which must not happen while recording.
      graph = stream.capture(work);
      stream.launch(graph);
      stream.synchronize();
    }

    @Override
    public double seconds() {
      final long start = System.nanoTime();
      for (int i = 0; i < LAUNCHES; i++) stream.launch(graph);
      stream.synchronize();
      return (System.nanoTime() - start) / 1e9 / LAUNCHES / times;
    }

    @Override
    public void close() {
      if (graph != null) graph.close();
      graph = null;
    }
  }
}
