package dev.stator.engine;

import com.typesafe.config.Config;
import java.util.Objects;

/**
 * {@code stator.engine} in reference.conf, which says what each limit is for; read and checked
 * once, at start.
 *
 * @param stepTokensMax tokens computed in one step
 * @param prefillChunkMax prompt tokens of one sequence computed in one step
 * @param runningMax sequences that hold blocks to compute or to be filled
 * @param waitingMax sequences in the queue
 * @param waitingBegunMax answers that have begun elsewhere, in the queue beyond {@code waitingMax}
 * @param waitingTokensMax tokens of the sequences in the queue
 * @param requestBlocksMax blocks one sequence may come to need
 * @param growthBlocks available blocks left for each running sequence when another one starts
 * @param speculation when next tokens are guessed
 * @param hostTier how blocks come and go between the device and the host's memory
 */
public record EngineSettings(
    int stepTokensMax,
    int prefillChunkMax,
    int runningMax,
    int waitingMax,
    int waitingBegunMax,
    long waitingTokensMax,
    int requestBlocksMax,
    int growthBlocks,
    SpeculationSettings speculation,
    HostTierSettings hostTier) {
  public EngineSettings {
    Objects.requireNonNull(speculation);
    Objects.requireNonNull(hostTier);
    requirePositive("step-tokens-max", stepTokensMax);
    requirePositive("prefill-chunk-max", prefillChunkMax);
    requirePositive("running-max", runningMax);
    requirePositive("waiting-max", waitingMax);
    requirePositive("waiting-begun-max", waitingBegunMax);
    requirePositive("waiting-tokens-max", waitingTokensMax);
    requirePositive("request-blocks-max", requestBlocksMax);
    if (growthBlocks < 0) {
      throw new IllegalArgumentException(
          "stator.engine.growth-blocks must not be negative: " + growthBlocks);
    }
    if (stepTokensMax < runningMax) {
      throw new IllegalArgumentException(
          "stator.engine.step-tokens-max ("
              + stepTokensMax
              + ") must be at least stator.engine.running-max ("
              + runningMax
              + "), so that every running sequence can decode in a step");
    }
  }

  /** Without speculation. */
  public EngineSettings(
      int stepTokensMax,
      int prefillChunkMax,
      int runningMax,
      int waitingMax,
      int waitingBegunMax,
      long waitingTokensMax,
      int requestBlocksMax,
      int growthBlocks) {
    this(
        stepTokensMax,
        prefillChunkMax,
        runningMax,
        waitingMax,
        waitingBegunMax,
        waitingTokensMax,
        requestBlocksMax,
        growthBlocks,
        SpeculationSettings.OFF);
  }

  /** With the host tier's plain settings. */
  public EngineSettings(
      int stepTokensMax,
      int prefillChunkMax,
      int runningMax,
      int waitingMax,
      int waitingBegunMax,
      long waitingTokensMax,
      int requestBlocksMax,
      int growthBlocks,
      SpeculationSettings speculation) {
    this(
        stepTokensMax,
        prefillChunkMax,
        runningMax,
        waitingMax,
        waitingBegunMax,
        waitingTokensMax,
        requestBlocksMax,
        growthBlocks,
        speculation,
        HostTierSettings.PLAIN);
  }

  /**
   * Reads {@code stator.engine} from the root configuration.
   *
   * @param stepTokens what {@code auto} says of the tokens of a step, unless more sequences run
   */
  public static EngineSettings from(Config root, int stepTokens) {
    final Config config = root.getConfig("stator.engine");
    final int runningMax = config.getInt("running-max");
    final int stepTokensMax = tokens(config, "step-tokens-max", Math.max(stepTokens, runningMax));
    return new EngineSettings(
        stepTokensMax,
        tokens(config, "prefill-chunk-max", stepTokensMax),
        runningMax,
        config.getInt("waiting-max"),
        config.getInt("waiting-begun-max"),
        config.getLong("waiting-tokens-max"),
        config.getInt("request-blocks-max"),
        config.getInt("growth-blocks"),
        SpeculationSettings.from(root),
        HostTierSettings.from(root));
  }

  private static int tokens(Config config, String key, int automatic) {
    return config.getString(key).equals("auto") ? automatic : config.getInt(key);
  }

  private static void requirePositive(String key, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException("stator.engine." + key + " must be positive: " + value);
    }
  }
}
