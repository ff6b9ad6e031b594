package dev.stator.transport;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** An agent's counters since its start. <b>Threads:</b> any. */
final class TransferCounters {
  private final LongAdder sentBytes = new LongAdder();
  private final LongAdder receivedBytes = new LongAdder();
  private final Map<TransferStatus, LongAdder> rejected = new EnumMap<>(TransferStatus.class);

  TransferCounters() {
    for (TransferStatus status : TransferStatus.values()) rejected.put(status, new LongAdder());
  }

  void sent(long bytes) {
    sentBytes.add(bytes);
  }

  void received(long bytes) {
    receivedBytes.add(bytes);
  }

  TransferStatus rejected(TransferStatus why) {
    rejected.get(why).increment();
    return why;
  }

  long sentBytes() {
    return sentBytes.sum();
  }

  long receivedBytes() {
    return receivedBytes.sum();
  }

  Map<TransferStatus, Long> rejected() {
    final Map<TransferStatus, Long> counts = new EnumMap<>(TransferStatus.class);
    rejected.forEach((status, count) -> {
      if (count.sum() > 0) counts.put(status, count.sum());
    });
    return counts;
  }
}
