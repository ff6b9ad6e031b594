package dev.stator.transport;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Blocks that are pulled out of another process's device together. <b>Threads:</b> one. */
final class Pulls {
  private static final Logger LOG = LoggerFactory.getLogger(Pulls.class);

  private final PeerPool from;

  Pulls(PeerPool from) {
    this.from = from;
  }

  /** Enters, pulls and leaves those that have not ended; each has ended then, or waits. */
  void pullAll(List<PulledLanding> landings) {
    final Map<RegisteredMemory, List<PulledLanding>> byMemory = new LinkedHashMap<>();
    for (PulledLanding landing : landings) {
      if (landing.ended() != null || !landing.enter()) continue;
      byMemory.computeIfAbsent(landing.memory(), memory -> new ArrayList<>()).add(landing);
    }
    byMemory.forEach(this::pullInto);
  }

  /**
   * @param entered and left before this returns
   */
  private void pullInto(RegisteredMemory memory, List<PulledLanding> entered) {
    final TransferStatus[] ends = new TransferStatus[entered.size()];
    final long stamp = memory.enter();
    try {
      if (stamp != 0) tryPull(memory, entered, ends);
      else Arrays.fill(ends, TransferStatus.UNKNOWN_GRANT);
    } finally {
      if (stamp != 0) memory.leave(stamp);
      for (int i = 0; i < ends.length; i++) {
        entered.get(i).leave(ends[i] == null ? TransferStatus.FAILED : ends[i]);
      }
    }
  }

  private void tryPull(
      RegisteredMemory memory, List<PulledLanding> entered, TransferStatus[] ends) {
    try {
      from.pull(
          memory,
          entered.stream().mapToInt(each -> each.pull().sourceBlock()).toArray(),
          entered.stream().mapToInt(each -> each.pull().targetBlock()).toArray(),
          ends);
    } catch (RuntimeException broken) {
      LOG.warn("Blocks could not be pulled: {}", broken.getMessage());
    }
  }
}
