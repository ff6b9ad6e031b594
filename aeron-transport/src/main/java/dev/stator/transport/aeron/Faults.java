package dev.stator.transport.aeron;

import dev.stator.transport.wire.FrameFault;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Frames thrown away since the start, by reason. <b>Threads:</b> any. */
final class Faults {
  private final Map<FrameFault, LongAdder> counts = new EnumMap<>(FrameFault.class);

  Faults() {
    for (FrameFault fault : FrameFault.values()) counts.put(fault, new LongAdder());
  }

  void count(FrameFault fault) {
    counts.get(fault).increment();
  }

  Map<FrameFault, Long> counts() {
    final Map<FrameFault, Long> found = new EnumMap<>(FrameFault.class);
    counts.forEach((fault, count) -> {
      if (count.sum() > 0) found.put(fault, count.sum());
    });
    return found;
  }
}
