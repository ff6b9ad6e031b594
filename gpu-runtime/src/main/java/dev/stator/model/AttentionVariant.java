package dev.stator.model;

import java.util.List;

/**
 * How a family's attention differs from the plain one.
 *
 * @param scale factor of the scores; 0 stands for {@code 1 / sqrt(headSize)}
 * @param scoreCap scores become {@code cap * tanh(score / cap)}; 0 for none
 * @param rotatedSize the first values of each head that are rotated, even; 0 stands for all
 * @param window {@code null} when every layer sees all positions
 */
public record AttentionVariant(float scale, float scoreCap, int rotatedSize, Window window) {
  public static final AttentionVariant PLAIN = new AttentionVariant(0, 0, 0, null);

  /**
   * A sliding window: in its layers position {@code p} sees positions {@code p - length + 1} to
   * {@code p}.
   *
   * @param length positions, a token's own included
   * @param layers for each layer, whether it sees the window only
   * @param ropeTheta base of the unscaled rotation in these layers; 0 when they rotate as the
   *     others
   */
  public record Window(int length, List<Boolean> layers, float ropeTheta) {
    public Window {
      layers = List.copyOf(layers);
      if (length <= 0) {
        throw new ModelFormatException("sliding window must be positive: " + length);
      }
      if (!(ropeTheta >= 0 && Float.isFinite(ropeTheta))) {
        throw new ModelFormatException("rope theta must be positive: " + ropeTheta);
      }
    }
  }

  public AttentionVariant {
    requireNotNegative("attention scale", scale);
    requireNotNegative("attention softcap", scoreCap);
    if (rotatedSize < 0 || rotatedSize % 2 != 0) {
      throw new ModelFormatException("rotated values of a head must be even: " + rotatedSize);
    }
  }

  static void requireNotNegative(String what, float value) {
    if (!(value >= 0 && Float.isFinite(value))) {
      throw new ModelFormatException(what + " must not be negative: " + value);
    }
  }
}
