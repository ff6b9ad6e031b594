package dev.stator.device.cpu;

import java.lang.management.ManagementFactory;

/**
 * Which kernels run: vector or scalar. Both compute the same bits, so that the choice may change at any moment, in the
 * middle of a step too.
 *
 * <p><b>Threads:</b> any.
 */
final class KernelChoice {
  private volatile boolean usesVectors;

  boolean usesVectors() {
    return usesVectors;
  }

  void useVectors(boolean usesVectors) {
    this.usesVectors = usesVectors;
  }

  /** Why vector kernels would be slow or fail in this JVM; {@code null} when they are fine. */
  static String obstacle() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return "the JVM was started without --add-modules=jdk.incubator.vector";
    }
    for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (argument.equals("-Xint") || argument.matches("-XX:TieredStopAtLevel=[0-3]")) {
        return "the JVM was started with " + argument;
      }
    }
    if (Lanes.PREFERRED < 4) return "this processor has no vectors that the Vector API knows";
    return null;
  }
}
