package dev.stator.device.cpu;

import com.sun.management.OperatingSystemMXBean;
import com.typesafe.config.Config;
import dev.stator.kv.KvLayout.KvType;
import java.lang.management.ManagementFactory;
import java.util.Locale;

/**
 * Limits of the CPU device, from {@code stator.device.cpu}.
 *
 * @param threads that compute a step, the caller's included
 * @param kvBytes memory for KV blocks, rounded down to whole blocks, or {@link #KV_BYTES_AUTO}; not
 *     used when {@code blockCount} is positive
 * @param blockCount KV blocks; 0 takes what {@code kvBytes} holds
 * @param stepTokensMax tokens of one step
 * @param contextLength longest sequence in tokens; 0 or more than the model's takes the model's
 * @param kvType how keys and values are stored
 * @param pack when native kernels' weights are packed
 */
public record CpuDeviceSettings(
    int threads,
    long kvBytes,
    int blockCount,
    int stepTokensMax,
    int contextLength,
    Kernels kernels,
    KvType kvType,
    Pack pack) {
  /** Which kernels run. */
  public enum Kernels {
    /** Native ones for the projections they have; for all else as {@link #JAVA}. */
    AUTO,
    /** As {@link #AUTO}; without native kernels the device is not made. */
    NATIVE,
    /**
     * Scalar ones until the vector kernels are compiled; for good where the JVM cannot compile
     * them. Both compute the same bits.
     */
    JAVA,
    /** Vector kernels from the start. */
    VECTOR,
    /** Scalar kernels. */
    SCALAR;

    private static Kernels of(String name) {
      for (Kernels kernels : values()) {
        if (kernels.name().toLowerCase(Locale.ROOT).equals(name)) return kernels;
      }
      throw new IllegalArgumentException(
          "stator.device.cpu.kernels is '"
              + name
              + "', expected auto, native, java, vector or scalar");
    }
  }

  /** When large models' weights are packed for native kernels. */
  public enum Pack {
    /** Before the device is there: its first step is as fast as any. */
    BEFORE_READY("before-ready"),
    /** In the background; until then steps pack what they multiply, each time. */
    WHILE_SERVING("while-serving");

    private final String title;

    Pack(String title) {
      this.title = title;
    }

    private static Pack of(String name) {
      for (Pack pack : values()) if (pack.title.equals(name)) return pack;
      throw new IllegalArgumentException(
          "stator.device.cpu.pack is '" + name + "', expected before-ready or while-serving");
    }
  }

  /** As much as one sequence of the context length needs, within bounds. */
  public static final long KV_BYTES_AUTO = -1;

  private static final long KV_BYTES_AUTO_MIN = 512L << 20;
  private static final int MACHINE_SHARE = 8;
  private static final int THREADS_MAX = 1024;

  public CpuDeviceSettings {
    require(threads >= 1 && threads <= THREADS_MAX, "threads", threads, "1 to " + THREADS_MAX);
    require(blockCount >= 0, "block-count", blockCount, "0 or more");
    require(
        blockCount > 0 || kvBytes > 0 || kvBytes == KV_BYTES_AUTO,
        "kv-bytes",
        kvBytes,
        "more than 0, or auto");
    require(stepTokensMax >= 1, "step-tokens-max", stepTokensMax, "1 or more");
    require(contextLength >= 0, "context-length", contextLength, "0 or more");
  }

  /** With float32 keys and values, and all weights packed before the device is there. */
  public CpuDeviceSettings(
      int threads,
      long kvBytes,
      int blockCount,
      int stepTokensMax,
      int contextLength,
      Kernels kernels) {
    this(
        threads,
        kvBytes,
        blockCount,
        stepTokensMax,
        contextLength,
        kernels,
        KvType.F32,
        Pack.BEFORE_READY);
  }

  /** The same but for the way in which keys and values are stored. */
  public CpuDeviceSettings withKvType(KvType type) {
    return new CpuDeviceSettings(
        threads, kvBytes, blockCount, stepTokensMax, contextLength, kernels, type, pack);
  }

  /** The same but for the time at which weights are packed. */
  public CpuDeviceSettings withPack(Pack when) {
    return new CpuDeviceSettings(
        threads, kvBytes, blockCount, stepTokensMax, contextLength, kernels, kvType, when);
  }

  /** Reads {@code stator.device.cpu}; no threads become the machine's processor count. */
  public static CpuDeviceSettings from(Config root) {
    final Config config = root.getConfig("stator.device.cpu");
    final int threads = config.getInt("threads");
    return new CpuDeviceSettings(
        threads == 0 ? Runtime.getRuntime().availableProcessors() : threads,
        config.getString("kv-bytes").equals("auto") ? KV_BYTES_AUTO : config.getBytes("kv-bytes"),
        config.getInt("block-count"),
        config.getInt("step-tokens-max"),
        config.getInt("context-length"),
        Kernels.of(config.getString("kernels")),
        kvType(config.getString("kv-type")),
        Pack.of(config.getString("pack")));
  }

  private static KvType kvType(String name) {
    return KvType.titled(name)
        .orElseThrow(() ->
            new IllegalArgumentException(
                "stator.device.cpu.kv-type is '" + name + "', expected f32, bf16 or int8"));
  }

  /**
   * Memory for KV blocks.
   *
   * @param sequenceBytes what one sequence of the context length needs
   */
  long kvBytes(long sequenceBytes) {
    return kvBytes == KV_BYTES_AUTO ? autoKvBytes(sequenceBytes, machineBytes()) : kvBytes;
  }

  static long autoKvBytes(long sequenceBytes, long machineBytes) {
    final long affordable = machineBytes / MACHINE_SHARE;
    return Math.max(KV_BYTES_AUTO_MIN, Math.min(sequenceBytes, affordable));
  }

  private static long machineBytes() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
  }

  private static void require(boolean holds, String key, long value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "stator.device.cpu." + key + " is " + value + ", expected " + expected);
    }
  }
}
