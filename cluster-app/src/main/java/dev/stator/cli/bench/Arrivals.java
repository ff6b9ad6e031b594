package dev.stator.cli.bench;

import java.util.SplittableRandom;
import java.util.stream.LongStream;

/** When requests of an open loop are due. */
final class Arrivals {
  private Arrivals() {}

  /**
   * A Poisson process: gaps are exponential with mean {@code 1 / rate}, by inversion.
   *
   * @param rate arrivals a second
   * @param durationNs no arrival at or after it
   * @return ascending nanoseconds after the start; equal for equal arguments
   */
  static long[] poisson(double rate, long durationNs, int requestsMax, long seed) {
    final SplittableRandom random = new SplittableRandom(seed);
    final LongStream.Builder arrivals = LongStream.builder();
    double ns = 0;
    for (int count = 0; count < requestsMax; count++) {
      ns += -Math.log(1 - random.nextDouble()) / rate * 1e9;
      if (ns >= durationNs) break;
      arrivals.add((long) ns);
    }
    return arrivals.build().toArray();
  }
}
