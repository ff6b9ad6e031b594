package dev.stator.device.cpu;

import dev.stator.model.WeightType;
import java.lang.management.ManagementFactory;
import java.util.EnumMap;
import java.util.Map;

/**
 * Which of an operation's kernels run: vector or scalar. Both compute the same bits, so that the
 * choice may change at any moment, in the middle of a step too.
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

  /** One choice for the projections of each weight type, one for all else. */
  static final class All {
    private final Map<WeightType, KernelChoice> projections = new EnumMap<>(WeightType.class);
    private final KernelChoice others = new KernelChoice();

    All() {
      for (WeightType type : WeightType.values()) projections.put(type, new KernelChoice());
    }

    KernelChoice projections(WeightType type) {
      return projections.get(type);
    }

    /** Attention and element-wise functions. */
    KernelChoice others() {
      return others;
    }

    void useVectors() {
      projections.values().forEach(choice -> choice.useVectors(true));
      others.useVectors(true);
    }
  }

  /** Why vector kernels would be slow or fail in this JVM; {@code null} when they are fine. */
  static String obstacle() {
    for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (argument.equals("-Xint") || argument.matches("-XX:TieredStopAtLevel=[0-3]")) {
        return "the JVM was started with " + argument;
      }
    }
    if (Lanes.PREFERRED < 4) return "this processor has no vectors that the Vector API knows";
    return null;
  }
}
