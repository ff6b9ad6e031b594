package dev.stator.transport;

import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** An agent's counters since its start. <b>Threads:</b> any. */
final class TransferCounters {
  private final LongAdder sentBytes = new LongAdder();
  private final LongAdder receivedBytes = new LongAdder();
  private final RejectionCounters rejections = new RejectionCounters();

  void sent(long bytes) {
    sentBytes.add(bytes);
  }

  void received(long bytes) {
    receivedBytes.add(bytes);
  }

  TransferStatus rejected(TransferStatus why) {
    return rejections.count(why);
  }

  long sentBytes() {
    return sentBytes.sum();
  }

  long receivedBytes() {
    return receivedBytes.sum();
  }

  Map<TransferStatus, Long> rejected() {
    return rejections.counts();
  }
}
