package dev.stator.app;

import com.typesafe.config.Config;

/**
 * How the engines of a machine's processes share its GPUs, from {@code stator.device.cuda}: they
 * are numbered through all processes, and take the GPUs in turn.
 *
 * @param firstEngine the number of this process's first, from 0
 * @param engines of all processes
 */
record GpuSharing(int firstEngine, int engines) {
  private static final String FIRST_KEY = "stator.device.cuda.first-engine";
  private static final String ENGINES_KEY = "stator.device.cuda.machine-engines";

  GpuSharing {
    if (firstEngine < 0) {
      throw new IllegalArgumentException(FIRST_KEY + " is " + firstEngine + ", expected 0 or more");
    }
  }

  /**
   * Reads both keys.
   *
   * @param slots of this process
   * @throws IllegalArgumentException when a key is negative, or the machine has fewer engines than
   *     this process's last one says
   */
  static GpuSharing from(Config root, int slots) {
    final int first = root.getInt(FIRST_KEY);
    final int engines = root.getInt(ENGINES_KEY);
    if (engines < 0 || engines > 0 && engines < first + slots) {
      throw new IllegalArgumentException(
          "%s is %d, expected 0, or the %d up to this process's last at least"
              .formatted(ENGINES_KEY, engines, first + slots));
    }
    return new GpuSharing(first, engines == 0 ? first + slots : engines);
  }

  /** Engines that the busiest GPU has when each engine takes so many. */
  int enginesOfGpu(int gpusOfEngine, int gpus) {
    return Math.ceilDiv(engines * gpusOfEngine, gpus);
  }
}
