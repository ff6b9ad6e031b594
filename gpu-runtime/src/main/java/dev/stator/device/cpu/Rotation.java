package dev.stator.device.cpu;

import dev.stator.device.RotaryAngles;
import dev.stator.model.ModelConfig;
import dev.stator.model.RopeScaling;
import java.util.Arrays;

/**
 * Rotary position embedding by the angles that {@link RotaryAngles} computes, a position at a time
 * as sequences grow.
 *
 * <p><b>Threads:</b> one calls {@link #prepare}; any may rotate prepared positions.
 */
final class Rotation {
  private static final int POSITIONS_STEP = 64;

  private final int rotatedSize;
  private final boolean isInterleaved;
  private final RotaryAngles angles;
  private final int contextLength;
  private float[] cosines = {};
  private float[] sines = {};
  private int preparedLength;

  Rotation(ModelConfig config, int contextLength) {
    this(config, config.ropeTheta(), config.ropeScaling(), contextLength);
  }

  /** With another base and scaling than the model's own. */
  Rotation(ModelConfig config, float theta, RopeScaling scaling, int contextLength) {
    this.rotatedSize = config.rotatedSize();
    this.isInterleaved = config.ropeLayout() == ModelConfig.RopeLayout.INTERLEAVED;
    this.angles = new RotaryAngles(rotatedSize, theta, scaling, contextLength);
    this.contextLength = contextLength;
  }

  /** Makes positions below {@code length} ready. */
  void prepare(int length) {
    if (length <= preparedLength) return;
    final int newLength =
        Math.min(contextLength, (length + POSITIONS_STEP - 1) / POSITIONS_STEP * POSITIONS_STEP);
    final int pairs = angles.pairs();
    if (newLength * pairs > cosines.length) {
      final int capacity = Math.min(contextLength, Math.max(newLength, 2 * preparedLength)) * pairs;
      cosines = Arrays.copyOf(cosines, capacity);
      sines = Arrays.copyOf(sines, capacity);
    }
    for (int p = preparedLength; p < newLength; p++) angles.compute(p, cosines, sines, p * pairs);
    preparedLength = newLength;
  }

  /**
   * Rotates one head in place: {@code a' = a cos - b sin}, {@code b' = b cos + a sin}, each product
   * rounded.
   */
  void rotate(float[] x, int from, int position) {
    final int pairs = angles.pairs();
    final int table = position * pairs;
    final int step = isInterleaved ? 2 : 1;
    final int other = isInterleaved ? 1 : rotatedSize / 2;
    for (int i = 0; i < pairs; i++) {
      final float a = x[from + i * step];
      final float b = x[from + i * step + other];
      final float cosine = cosines[table + i];
      final float sine = sines[table + i];
      x[from + i * step] = a * cosine - b * sine;
      x[from + i * step + other] = b * cosine + a * sine;
    }
  }

  long bytes() {
    return 8L * angles.pairs() * contextLength;
  }
}
