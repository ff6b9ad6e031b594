package dev.stator.engine;

import com.typesafe.config.Config;

/**
 * {@code stator.engine.host-tier} in reference.conf, which says what each key is for.
 *
 * @param storeBlocksMax blocks on their way to the host's memory
 * @param loadBlocksMin blocks that must be found there for a sequence to wait for them
 */
public record HostTierSettings(int storeBlocksMax, int loadBlocksMin) {
  /** As in reference.conf. */
  static final HostTierSettings PLAIN = new HostTierSettings(512, 4);

  private static final String PATH = "stator.engine.host-tier";

  public HostTierSettings {
    requirePositive("store-blocks-max", storeBlocksMax);
    requirePositive("load-blocks-min", loadBlocksMin);
  }

  /** Reads {@code stator.engine.host-tier} from the root configuration. */
  static HostTierSettings from(Config root) {
    final Config config = root.getConfig(PATH);
    return new HostTierSettings(
        config.getInt("store-blocks-max"), config.getInt("load-blocks-min"));
  }

  private static void requirePositive(String key, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException(PATH + "." + key + " must be positive: " + value);
    }
  }
}
