package dev.stator.app;

import dev.stator.device.DeviceKind;
import dev.stator.device.cuda.Cuda;
import dev.stator.device.cuda.CudaGpu;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The GPUs that a node's engine slots run on, or none: then they run on the CPU.
 *
 * @param gpus that can be used, in the order in which slots take them
 */
record DeviceChoice(List<CudaGpu> gpus) {
  private static final Logger LOG = LoggerFactory.getLogger(DeviceChoice.class);
  private static final DeviceChoice CPU = new DeviceChoice(List.of());

  DeviceChoice {
    gpus = List.copyOf(gpus);
  }

  /**
   * For {@link DeviceKind#CPU}, nothing is looked for. When a GPU is wanted, but not needed, why
   * there is none is logged.
   *
   * @param gpus what {@link Cuda#find} finds
   * @param firstGpu the number of the first GPU that may be taken
   * @param modelObstacle why no GPU can run the model; empty when one can
   * @throws IllegalArgumentException when a GPU is needed and none can be used
   */
  static DeviceChoice of(
      DeviceKind kind,
      Supplier<Cuda.Found> gpus,
      int firstGpu,
      Supplier<Optional<String>> modelObstacle) {
    if (kind == DeviceKind.CPU) return CPU;
    final Cuda.Found found = gpus.get();
    final List<CudaGpu> usable =
        found.usable().stream().filter(gpu -> gpu.index() >= firstGpu).toList();
    final Optional<String> obstacle =
        found
            .obstacle()
            .or(() -> usable.isEmpty() ? Optional.of(noneFrom(firstGpu)) : modelObstacle.get());
    if (obstacle.isEmpty()) return new DeviceChoice(usable);
    if (kind == DeviceKind.CUDA) {
      throw new IllegalArgumentException("stator.device.kind is cuda, but " + obstacle.get());
    }
    // A machine without NVIDIA's driver is the usual one; one with it was meant for a GPU.
    final var level = found.hasDriver() ? LOG.atWarn() : LOG.atInfo();
    level.log("The CPU runs the model: {}", obstacle.get());
    return CPU;
  }

  private static String noneFrom(int firstGpu) {
    return "no GPU from number %d on (stator.device.cuda.ordinal) can be used".formatted(firstGpu);
  }

  boolean isCpu() {
    return gpus.isEmpty();
  }

  /**
   * Slots take the GPUs in turn; where there are more slots, they share them.
   *
   * @param slot from 0
   * @param count of a slot, all of them different
   */
  List<CudaGpu> gpus(int slot, int count) {
    return IntStream.range(slot * count, (slot + 1) * count)
        .mapToObj(i -> gpus.get(i % gpus.size()))
        .toList();
  }
}
