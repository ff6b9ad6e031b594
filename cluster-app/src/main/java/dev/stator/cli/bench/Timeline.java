package dev.stator.cli.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * Throughput over time.
 *
 * @param widthSeconds of a slice
 */
public record Timeline(double widthSeconds, List<Slice> slices) {
  private static final double[] WIDTHS = {0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600};
  private static final int SLICES_MAX = 80;

  /**
   * One slice of time.
   *
   * @param inFlight requests on their way, averaged over the slice
   */
  public record Slice(
      double atSeconds, double outputTokensPerSecond, double requestsPerSecond, double inFlight) {}

  static Timeline of(List<RequestResult> results, double seconds) {
    final double width = width(seconds);
    final int count = Math.max(1, (int) Math.ceil(seconds / width));
    final double[] tokens = new double[count];
    final double[] ends = new double[count];
    final double[] busySeconds = new double[count];
    for (RequestResult result : results) {
      final long[] chunkNs = result.response().chunkNs();
      final double tokensAChunk = (double) result.outputTokens() / Math.max(1, chunkNs.length);
      for (long ns : chunkNs) tokens[slice(ns, width, count)] += tokensAChunk;
      if (result.isOk()) ends[slice(result.response().endNs(), width, count)]++;
      addBusy(busySeconds, result.sentNs() / 1e9, result.response().endNs() / 1e9, width);
    }
    final List<Slice> slices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      final double length = Math.min(width, seconds - i * width);
      if (length < width / 4 && i > 0) break; // Too short a rest to make a rate of.
      slices.add(
          new Slice(i * width, tokens[i] / length, ends[i] / length, busySeconds[i] / length));
    }
    return new Timeline(width, slices);
  }

  private static void addBusy(double[] busySeconds, double from, double to, double width) {
    for (int i = (int) (from / width); i < busySeconds.length && i * width < to; i++) {
      busySeconds[i] += Math.min(to, (i + 1) * width) - Math.max(from, i * width);
    }
  }

  private static int slice(long ns, double width, int count) {
    return Math.min(count - 1, (int) (ns / 1e9 / width));
  }

  private static double width(double seconds) {
    for (double width : WIDTHS) {
      if (seconds / width <= SLICES_MAX) return width;
    }
    return seconds / SLICES_MAX;
  }
}
