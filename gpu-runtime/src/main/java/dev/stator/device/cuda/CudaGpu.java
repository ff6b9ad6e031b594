package dev.stator.device.cuda;

import java.util.Optional;

/**
 * A GPU that the CUDA driver lists.
 *
 * @param index the driver's number of it, from 0; see {@code CUDA_VISIBLE_DEVICES}
 * @param title the maker's name
 * @param memoryBytes of the whole device
 * @param computeCapability major and minor number together: 80, 89, 90
 * @param obstacle why it cannot be used; empty when it can
 */
public record CudaGpu(
    int index, String title, long memoryBytes, int computeCapability, Optional<String> obstacle) {
  public boolean isUsable() {
    return obstacle.isEmpty();
  }

  /** For the user, one line. */
  @Override
  public String toString() {
    return "GPU %d: %s, %.1f GiB, compute capability %s%s"
        .formatted(
            index,
            title,
            memoryBytes / (double) (1L << 30),
            capability(computeCapability),
            obstacle.map(text -> "; not used: " + text).orElse(""));
  }

  /** As NVIDIA writes it: {@code 9.0}. */
  static String capability(int number) {
    return number / 10 + "." + number % 10;
  }
}
