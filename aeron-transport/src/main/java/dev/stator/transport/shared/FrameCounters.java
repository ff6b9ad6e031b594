package dev.stator.transport.shared;

import dev.stator.transport.TransferStatus;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What was refused before it reached an agent, by reason. <b>Threads:</b> any. */
final class FrameCounters {
  private final Map<TransferStatus, LongAdder> counts = new EnumMap<>(TransferStatus.class);

  FrameCounters() {
    for (TransferStatus status : TransferStatus.values()) counts.put(status, new LongAdder());
  }

  TransferStatus count(TransferStatus why) {
    counts.get(why).increment();
    return why;
  }

  Map<TransferStatus, Long> counts() {
    final Map<TransferStatus, Long> sums = new EnumMap<>(TransferStatus.class);
    counts.forEach((status, count) -> {
      if (count.sum() > 0) sums.put(status, count.sum());
    });
    return sums;
  }
}
