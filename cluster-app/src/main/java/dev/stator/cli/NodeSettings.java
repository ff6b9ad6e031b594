package dev.stator.cli;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What the user asked of a node, checked for itself; what is empty is left to {@code overrides} and
 * each module's {@code reference.conf}.
 *
 * @param model GGUF file or Hugging Face folder; exists. Empty for a node without engines
 * @param servedName the name clients use; the model's own when empty
 * @param host address to bind
 * @param port port to bind; 0 takes any free one
 * @param threads of each engine slot
 * @param contextLength tokens of prompt and answer together
 * @param kvBytes bytes of each slot's KV pool; at most one of {@code kvBytes} and {@code kvBlocks}
 *     is given
 * @param kvBlocks blocks of each slot's KV pool
 * @param prefillSlots engine slots that only prefill; 0 leaves prefill to the decode slots
 * @param decodeSlots engine slots that decode
 * @param cluster the node's place in a cluster; empty for a node that is alone
 * @param overrides {@code -D} over {@code --config}; unresolved, to be put over the defaults
 */
public record NodeSettings(
    Optional<Path> model,
    Engine engine,
    Optional<String> servedName,
    String host,
    int port,
    OptionalInt threads,
    OptionalInt contextLength,
    OptionalLong kvBytes,
    OptionalInt kvBlocks,
    int prefillSlots,
    int decodeSlots,
    Optional<ClusterMembership> cluster,
    Config overrides) {

  /** What computes the answers: {@code out=} of {@code stator run}. */
  public enum Engine {
    /** The model, on the kind of device that {@code stator.device.kind} says. */
    MODEL,
    /** The model, on the CPU. */
    CPU,
    /** The model, on an NVIDIA GPU. */
    CUDA,
    /** No model: the prompt's tokens come back. For measuring everything around the model. */
    ECHO
  }

  /**
   * @throws UsageException when a number is outside its range
   */
  public NodeSettings {
    if (model.isEmpty() && cluster.map(ClusterMembership::isWorker).orElse(true)) {
      throw new UsageException("a node with engines needs a MODEL");
    }
    if (host.isBlank()) throw new UsageException("--host must not be empty");
    requireRange("--port", port, 0, 65_535);
    threads.ifPresent(value -> requireRange("--threads", value, 1, 1024));
    contextLength.ifPresent(value -> requireRange("--context-length", value, 1, 1 << 28));
    kvBlocks.ifPresent(value -> requireRange("--kv-blocks", value, 1, Integer.MAX_VALUE));
    requireRange("--prefill-slots", prefillSlots, 0, 64);
    requireRange("--decode-slots", decodeSlots, 1, 64);
    if (kvBytes.isPresent() && kvBytes.getAsLong() <= 0) {
      throw new UsageException("--kv-memory must be positive: " + kvBytes.getAsLong());
    }
    if (kvBytes.isPresent() && kvBlocks.isPresent()) {
      throw new UsageException("--kv-memory and --kv-blocks say the same thing: give one of them");
    }
  }

  private static void requireRange(String option, int value, int min, int max) {
    if (value < min || value > max) {
      throw new UsageException(
          "%s must be between %d and %d: %d".formatted(option, min, max, value));
    }
  }
}
