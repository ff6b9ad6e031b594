package dev.stator.cli.transfer;

import java.util.List;

/**
 * All that a run measured.
 *
 * @param machine in words, and what copied whole blocks
 * @param startedAt ISO 8601
 * @param bytes moved in each round, each way
 * @param idle {@code null} when it was not measured
 */
public record TransferReport(
    String machine,
    String stator,
    String startedAt,
    long bytes,
    int rounds,
    List<Throughput> throughput,
    List<Latency> latency,
    List<Idle> idle) {
  public TransferReport {
    throughput = List.copyOf(throughput);
    latency = List.copyOf(latency);
    idle = List.copyOf(idle);
  }

  /**
   * Medians over rounds, blocks of one length one way.
   *
   * @param processes how many took part
   * @param gigabytesPerSecond powers of ten
   * @param cpuSecondsPerGigabyte of all processes, of all rounds together
   * @param comparedWith the way that the ratio is to; {@code null} for those others compare with
   * @param ratio median of each round's own ratio; 1 is as fast
   * @param ratioLow the worst round's
   * @param ratioHigh the best round's
   */
  public record Throughput(
      String way,
      int processes,
      int blockBytes,
      double gigabytesPerSecond,
      double cpuSecondsPerGigabyte,
      String comparedWith,
      double ratio,
      double ratioLow,
      double ratioHigh) {}

  /** One block there and its acknowledgement back, one at a time. */
  public record Latency(String way, int blockBytes, double p50Us, double p99Us) {}

  /** What an attached agent with an open connection costs when nothing is sent. */
  public record Idle(String side, double cpuSecondsPerMinute) {}
}
