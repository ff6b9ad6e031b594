package dev.stator.device.cuda;

import dev.stator.device.RotaryAngles;
import dev.stator.model.AttentionVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.RopeScaling;

/**
 * A model's rotation tables: one for all layers, or another for those with a sliding window.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class RotaryTables {
  private static final long STAGING_BYTES = 1 << 20;

  private final RotaryTable all;
  private final RotaryTable windowed; // Often the same.

  RotaryTables(
      ModelConfig config,
      int contextLength,
      DeviceMemory memory,
      Driver driver,
      Driver.Stream stream) {
    final Staging staging = new Staging(driver, stream, STAGING_BYTES);
    final int rotated = config.rotatedSize();
    final var angles =
        new RotaryAngles(rotated, config.ropeTheta(), config.ropeScaling(), contextLength);
    all = new RotaryTable(angles, contextLength, memory, staging);
    final AttentionVariant.Window window = config.attention().window();
    if (window == null || window.ropeTheta() == 0) {
      windowed = all;
    } else {
      final var other =
          new RotaryAngles(rotated, window.ropeTheta(), new RopeScaling.None(), contextLength);
      windowed = new RotaryTable(other, contextLength, memory, staging);
    }
  }

  /** Makes positions below {@code length} ready for what is given to the stream from now on. */
  void prepare(int length) {
    all.prepare(length);
    windowed.prepare(length);
  }

  /** That of layers with or without a sliding window. */
  RotaryTable of(boolean isWindowed) {
    return isWindowed ? windowed : all;
  }
}
