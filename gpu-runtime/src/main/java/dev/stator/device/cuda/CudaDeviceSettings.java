package dev.stator.device.cuda;

import com.typesafe.config.Config;

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
 * @param attentionBytes device memory for attention's partial results
 * @param usesGraphs whether decode steps are captured as CUDA graphs
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
    long attentionBytes,
    boolean usesGraphs) {
  /** What {@code memoryShare} leaves beside weights and workspace. */
  public static final long KV_BYTES_AUTO = -1;

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
    require(attentionBytes >= 0, "attention-bytes", attentionBytes, "0 or more");
  }

  /** Reads {@code stator.device.cuda}. */
  public static CudaDeviceSettings from(Config root) {
    final Config config = root.getConfig("stator.device.cuda");
    return new CudaDeviceSettings(
        config.getInt("ordinal"),
        config.getString("kv-bytes").equals("auto") ? KV_BYTES_AUTO : config.getBytes("kv-bytes"),
        config.getDouble("memory-share"),
        config.getInt("block-count"),
        config.getInt("step-tokens-max"),
        config.getInt("context-length"),
        config.getBytes("staging-bytes"),
        config.getInt("host-blocks"),
        config.getBytes("attention-bytes"),
        config.getBoolean("graphs"));
  }

  private static void require(boolean holds, String key, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "stator.device.cuda." + key + " is " + value + ", expected " + expected);
    }
  }
}
