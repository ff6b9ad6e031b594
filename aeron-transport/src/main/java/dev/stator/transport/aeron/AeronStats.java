package dev.stator.transport.aeron;

import dev.stator.transport.wire.FrameFault;
import java.util.Map;

/**
 * A transport's figures at one moment.
 *
 * @param outbound open connections to agents elsewhere
 * @param inbound connections of writers elsewhere
 * @param invalidDatagrams what was received over UDP and is not Aeron's, since the start
 * @param faults frames thrown away since the start, by reason
 */
public record AeronStats(
    int outbound, int inbound, long invalidDatagrams, Map<FrameFault, Long> faults) {
  public AeronStats {
    faults = Map.copyOf(faults);
  }

  public long faultCount() {
    return faults.values().stream().mapToLong(Long::longValue).sum();
  }
}
