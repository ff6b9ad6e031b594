package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;

/** The panel layout of each weight type. */
final class Panels {
  private Panels() {}

  static PanelMatrix of(WeightMatrix source, KernelChoice choice) {
    return switch (source.type()) {
      case F32 -> new FloatPanels(source, choice);
      case F16 -> new F16Panels(source, choice);
      case BF16, F8_E4M3 -> new Bf16Panels(source, choice);
      case Q8_0, IQ4_NL -> new Q8Panels(source, choice);
      case Q4_0 -> new Q4Panels(source, choice);
      case Q4_1, Q5_0, Q5_1 -> new Q5Panels(source, choice);
      case Q2_K, Q3_K -> new Q3KPanels(source, choice);
      case Q4_K -> new Q4KPanels(source, choice);
      case Q5_K -> new Q5KPanels(source, choice);
      case Q6_K -> new Q6KPanels(source, choice);
    };
  }
}
