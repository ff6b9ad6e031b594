package dev.stator.device.cuda;

import com.sun.management.OperatingSystemMXBean;
import com.typesafe.config.Config;
import java.lang.management.ManagementFactory;

/**
 * Limits of a CUDA device, from {@code stator.device.cuda}.
 *
 * @param ordinal the first of the machine's devices that may be used, from 0
 * @param kvBytes device memory for KV blocks, rounded down to whole blocks, or {@link
 *     #KV_BYTES_AUTO}; not used when {@code blockCount} is positive
 * @param memoryShare of the device's free memory that all of a device may take when {@code kvBytes}
 *     is auto
 * @param blockCount KV blocks; 0 takes what {@code kvBytes} holds
 * @param stepTokensMax tokens of one step
 * @param contextLength longest sequence in tokens; 0 or more than the model's takes the model's
 * @param stagingBytes page-locked host memory through which weights and blocks pass
 * @param hostBlocks copies of blocks in page-locked host memory at once
 * @param hostTierBytes page-locked host memory for blocks that fall out of the pool, rounded down
 *     to whole blocks, or {@link #HOST_TIER_AUTO}; 0 for none
 * @param attentionBytes device memory for attention's partial results
 * @param usesGraphs whether decode steps are captured as CUDA graphs
 * @param mayUseWgmma whether prefill may use the matrix instruction of compute capability 9.0 where
 *     it gives the same bits
 * @param engines that share a GPU's memory, each alike
 */
public record CudaDeviceSettings(
    int ordinal,
    long kvBytes,
    double memoryShare,
    int blockCount,
    int stepTokensMax,
    int contextLength,
    long stagingBytes,
    int hostBlocks,
    long hostTierBytes,
    long attentionBytes,
    boolean usesGraphs,
    boolean mayUseWgmma,
    int engines) {
  /** What {@code memoryShare} leaves beside weights and workspace. */
  public static final long KV_BYTES_AUTO = -1;

  /** As much as the pool, or a sixteenth of the machine's memory if that is less. */
  public static final long HOST_TIER_AUTO = -1;

  private static final int HOST_TIER_SHARE = 16;

  static final long STAGING_BYTES_MIN = 1 << 20;

  /** One on its way out, one on its way in. */
  static final int HOST_BLOCKS_MIN = 2;

  public CudaDeviceSettings {
    require(ordinal >= 0, "ordinal", ordinal, "0 or more");
    require(blockCount >= 0, "block-count", blockCount, "0 or more");
    require(
        blockCount > 0 || kvBytes > 0 || kvBytes == KV_BYTES_AUTO,
        "kv-bytes",
        kvBytes,
        "more than 0, or auto");
    require(memoryShare > 0 && memoryShare <= 1, "memory-share", memoryShare, "above 0, up to 1");
    require(stepTokensMax >= 1, "step-tokens-max", stepTokensMax, "1 or more");
    require(contextLength >= 0, "context-length", contextLength, "0 or more");
    require(
        stagingBytes >= STAGING_BYTES_MIN && stagingBytes <= Integer.MAX_VALUE,
        "staging-bytes",
        stagingBytes,
        STAGING_BYTES_MIN + " to " + Integer.MAX_VALUE);
    require(hostBlocks >= HOST_BLOCKS_MIN, "host-blocks", hostBlocks, HOST_BLOCKS_MIN + " or more");
    require(
        hostTierBytes >= 0 || hostTierBytes == HOST_TIER_AUTO,
        "host-tier-bytes",
        hostTierBytes,
        "0 or more, or auto");
    require(engines >= 1, "engines", engines, "1 or more");
    require(attentionBytes >= 0, "attention-bytes", attentionBytes, "0 or more");
  }

  /** Reads {@code stator.device.cuda}, for an engine that has its GPUs to itself. */
  public static CudaDeviceSettings from(Config root) {
    final Config config = root.getConfig("stator.device.cuda");
    return new CudaDeviceSettings(
        config.getInt("ordinal"),
        bytes(config, "kv-bytes", KV_BYTES_AUTO),
        config.getDouble("memory-share"),
        config.getInt("block-count"),
        config.getInt("step-tokens-max"),
        config.getInt("context-length"),
        config.getBytes("staging-bytes"),
        config.getInt("host-blocks"),
        bytes(config, "host-tier-bytes", HOST_TIER_AUTO),
        config.getBytes("attention-bytes"),
        config.getBoolean("graphs"),
        mayUseWgmma(config.getString("wgmma")),
        1);
  }

  private static boolean mayUseWgmma(String value) {
    require(value.equals("auto") || value.equals("never"), "wgmma", value, "auto or never");
    return value.equals("auto");
  }

  private static long bytes(Config config, String key, long auto) {
    return config.getString(key).equals("auto") ? auto : config.getBytes(key);
  }

  /**
   * Blocks of the host tier.
   *
   * @param blockCount of the pool
   */
  int hostTierBlocks(int blockCount, long blockBytes) {
    return hostTierBlocks(blockCount, blockBytes, machineBytes());
  }

  int hostTierBlocks(int blockCount, long blockBytes, long machineBytes) {
    final long bytes =
        hostTierBytes == HOST_TIER_AUTO
            ? Math.min(blockCount * blockBytes, machineBytes / HOST_TIER_SHARE / engines)
            : hostTierBytes;
    return (int) Math.min(bytes / blockBytes, Integer.MAX_VALUE);
  }

  private static long machineBytes() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
  }

  /** These, where so many engines share each GPU. */
  public CudaDeviceSettings sharedBy(int count) {
    return new CudaDeviceSettings(
        ordinal,
        kvBytes,
        memoryShare,
        blockCount,
        stepTokensMax,
        contextLength,
        stagingBytes,
        hostBlocks,
        hostTierBytes,
        attentionBytes,
        usesGraphs,
        mayUseWgmma,
        count);
  }

  /**
   * What an engine may take of a GPU in all, in bytes.
   *
   * @param freeBytes that nobody has taken
   */
  long room(long totalBytes, long freeBytes) {
    return (long) (Math.min(totalBytes / engines, freeBytes) * memoryShare);
  }

  private static void require(boolean holds, String key, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "stator.device.cuda." + key + " is " + value + ", expected " + expected);
    }
  }
}
