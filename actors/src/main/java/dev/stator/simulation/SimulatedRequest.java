package dev.stator.simulation;

import dev.stator.engine.RequestId;
import dev.stator.protocol.TrafficReport;

/** One request on its way. One thread. */
final class SimulatedRequest {
  final RequestId id;
  final Workload.Arrival arrival;
  SimulatedSlot decode;
  int promptLeft; // Tokens to be computed.
  boolean computedHere; // By its decode slot.
  boolean holdsBlocks;
  long lastStep; // Of the decode slot: the one with its last token.
  long firstTokenNs = -1;
  long endNs = -1;

  SimulatedRequest(int number, Workload.Arrival arrival) {
    this.id = new RequestId(Integer.toString(number));
    this.arrival = arrival;
    this.promptLeft = arrival.promptTokens();
  }

  int promptTokens() {
    return arrival.promptTokens();
  }

  int answerTokens() {
    return arrival.answerTokens();
  }

  /** As {@link TrafficReport#YOUNG} has it. */
  boolean isYoung(long nowNs) {
    return nowNs - firstTokenNs <= TrafficReport.YOUNG.toNanos();
  }

  double ttftS() {
    return firstTokenNs < 0 ? Double.POSITIVE_INFINITY : firstTokenNs / 1e9 - arrival.atS();
  }

  /** The mean over its answer; 0 for a single token. */
  double itlS() {
    if (endNs < 0) return Double.POSITIVE_INFINITY;
    return (endNs - firstTokenNs) / 1e9 / Math.max(1, answerTokens() - 1);
  }
}
