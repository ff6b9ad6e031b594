package dev.stator.transport;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What was refused, by reason. <b>Threads:</b> any. */
public final class RejectionCounters {
  private final Map<TransferStatus, LongAdder> counts = new EnumMap<>(TransferStatus.class);

  public RejectionCounters() {
    for (TransferStatus status : TransferStatus.values()) counts.put(status, new LongAdder());
  }

  /** Counts and returns it. */
  public TransferStatus count(TransferStatus why) {
    counts.get(why).increment();
    return why;
  }

  /** The reasons there were. */
  public Map<TransferStatus, Long> counts() {
    final Map<TransferStatus, Long> sums = new EnumMap<>(TransferStatus.class);
    counts.forEach((status, count) -> {
      if (count.sum() > 0) sums.put(status, count.sum());
    });
    return sums;
  }
}
