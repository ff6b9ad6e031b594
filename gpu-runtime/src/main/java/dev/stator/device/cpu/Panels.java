package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;

/** The panel layout of each weight type. */
final class Panels {
  private Panels() {}

  static PanelMatrix of(WeightMatrix source) {
    return switch (source.type()) {
      case F32 -> new FloatPanels(source);
      case BF16 -> new Bf16Panels(source);
      case Q8_0 -> new Q8Panels(source);
      default ->
          throw new dev.stator.model.ModelFormatException(
              "tensor " + source.name() + " has type " + source.type());
    };
  }
}
