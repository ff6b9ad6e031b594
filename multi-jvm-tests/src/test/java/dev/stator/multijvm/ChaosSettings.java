package dev.stator.multijvm;

import java.time.Duration;

/**
 * How large a chaos run is: {@code stator.chaos.*}, which the pom sets.
 *
 * @param streams at a time
 * @param time over which disturbances begin
 * @param seed of all random choices
 * @param intervalMin between two disturbances
 * @param intervalMax between two disturbances
 * @param leakRounds of the same requests, that memory and files are compared over; 0 for none
 */
record ChaosSettings(
    int streams,
    Duration time,
    long seed,
    Duration intervalMin,
    Duration intervalMax,
    int leakRounds) {
  ChaosSettings {
    if (streams <= 0) throw new IllegalArgumentException("streams must be positive: " + streams);
    if (!intervalMin.isPositive() || intervalMin.compareTo(intervalMax) > 0) {
      throw new IllegalArgumentException(
          "interval must be a range of positive times: " + intervalMin + " to " + intervalMax);
    }
  }

  static ChaosSettings fromProperties() {
    return new ChaosSettings(
        Integer.getInteger("stator.chaos.streams", 24),
        Duration.ofSeconds(Integer.getInteger("stator.chaos.seconds", 10)),
        Long.getLong("stator.chaos.seed", 1),
        Duration.ofMillis(Integer.getInteger("stator.chaos.interval.min", 2000)),
        Duration.ofMillis(Integer.getInteger("stator.chaos.interval.max", 6000)),
        Integer.getInteger("stator.chaos.leak.rounds", 8));
  }
}
