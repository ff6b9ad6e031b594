package dev.stator.cli;

import dev.stator.device.MemoryPlan;
import java.net.URI;
import java.util.List;

/**
 * What a node runs, for the summary at its start.
 *
 * @param servedName the name clients use
 * @param source the model's file or folder
 * @param format of the file and its weights, such as {@code gguf, Q8_0}
 * @param architecture the model's family
 * @param parameterCount weights, tied ones once
 * @param contextLength tokens of prompt and answer together at most
 * @param slots the engine slots of this process
 * @param address where it answers, such as {@code http://127.0.0.1:8080}
 */
public record NodeSummary(
    String servedName,
    String source,
    String format,
    String architecture,
    long parameterCount,
    int contextLength,
    List<Slot> slots,
    URI address) {
  public NodeSummary {
    slots = List.copyOf(slots);
  }

  /**
   * One engine slot.
   *
   * @param phases what it computes: {@code prefill}, {@code decode} or {@code prefill + decode}
   * @param kernels {@link dev.stator.device.Device#description}
   * @param memory what this slot has taken; memory shared by slots is a term of the first alone
   */
  public record Slot(String phases, String kernels, MemoryPlan memory) {}
}
