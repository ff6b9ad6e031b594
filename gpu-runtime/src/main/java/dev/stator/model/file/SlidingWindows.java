package dev.stator.model.file;

import dev.stator.model.AttentionVariant;
import dev.stator.model.ModelFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Which layers of a family see a sliding window only. */
final class SlidingWindows {
  /** Gemma 3: so many layers with a window, the last of each such group without. */
  static final int GROUP = 6;

  /** A hostile file claims more; real models have some hundred. */
  private static final int LAYERS_MAX = 65_536;

  private SlidingWindows() {}

  /**
   * @param firstWindowed for {@link Architecture.WindowedLayers#FROM_MAX_WINDOW_LAYERS}
   * @param group for {@link Architecture.WindowedLayers#ALL_BUT_EVERY_SIXTH}
   */
  static List<Boolean> layers(
      Architecture architecture, int layerCount, int firstWindowed, int group) {
    return layers(
        layerCount,
        switch (architecture.windowedLayers()) {
          case ALL -> layer -> true;
          case EVERY_SECOND -> layer -> layer % 2 == 0;
          case ALL_BUT_EVERY_SIXTH -> layer -> (layer + 1) % group != 0;
          case FROM_MAX_WINDOW_LAYERS -> layer -> layer >= firstWindowed;
        });
  }

  static List<Boolean> layers(int layerCount, IntPredicate isWindowed) {
    if (layerCount > LAYERS_MAX) {
      throw new ModelFormatException(
          "a sliding window over %d layers, the limit is %d".formatted(layerCount, LAYERS_MAX));
    }
    final List<Boolean> layers = new ArrayList<>();
    for (int i = 0; i < layerCount; i++) layers.add(isWindowed.test(i));
    return layers;
  }

  /**
   * A window as it is in force: none when it is as long as the context and nothing else hangs on
   * it.
   *
   * @param length 0 for none
   * @param ropeTheta 0 when its layers rotate as the others
   */
  static AttentionVariant.Window inForce(
      int length, int contextLength, List<Boolean> layers, float ropeTheta) {
    if (length <= 0 || !layers.contains(true)) return null;
    if (length >= contextLength && ropeTheta == 0) return null;
    return new AttentionVariant.Window(length, layers, ropeTheta);
  }
}
