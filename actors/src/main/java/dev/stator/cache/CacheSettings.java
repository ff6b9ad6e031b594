package dev.stator.cache;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * {@code stator.cache} in reference.conf; read and checked once, at start.
 *
 * @param leasesMax leases at once
 * @param leaseBlocksMax blocks of one lease
 * @param leaseLifeMax longest life of a lease
 * @param dumpTimeout how long a worker may take to dump before it is asked again
 */
public record CacheSettings(
    int leasesMax, int leaseBlocksMax, Duration leaseLifeMax, Duration dumpTimeout) {
  public CacheSettings {
    require(leasesMax > 0, "leases-max", leasesMax);
    require(leaseBlocksMax > 0, "lease-blocks-max", leaseBlocksMax);
    require(leaseLifeMax.isPositive(), "lease-life-max", leaseLifeMax);
    require(dumpTimeout.isPositive(), "dump-timeout", dumpTimeout);
  }

  /**
   * @param config at {@code stator.cache}
   */
  public static CacheSettings from(Config config) {
    return new CacheSettings(
        config.getInt("leases-max"),
        config.getInt("lease-blocks-max"),
        config.getDuration("lease-life-max"),
        config.getDuration("dump-timeout"));
  }

  private static void require(boolean holds, String key, Object value) {
    if (!holds) {
      throw new IllegalArgumentException("stator.cache." + key + " must be positive: " + value);
    }
  }
}
