package dev.stator.cli.kernels;

import dev.stator.device.cuda.CudaBenchmark;
import dev.stator.device.cuda.Price;
import java.util.List;
import java.util.Locale;

/** Lines of {@link CudaBench}'s tables. */
final class CudaBenchTable {
  private static final String PRICE = " %-32s %3s  %-11s %9s  %-14s %7s  %-26s %9s %7s";

  private CudaBenchTable() {}

  /** What stands in front of each line. */
  static String what(String model, String type) {
    return format("  %-5s %-7s", model, type);
  }

  /**
   * @param copy bytes read and written a second by a copy of device memory
   */
  static List<String> head(String gpu, int rounds, double copy) {
    return List.of(
        gpu + ", " + rounds + " rounds, medians",
        format("copy of device memory: %.0f GB/s, read and written", copy / 1e9),
        "price of the same bytes: our time by the time of the fastest variant, whose bits depend"
            + " on",
        "batch, context and device; of it another kernel of the same bits would save what / it"
            + " says");
  }

  static String stepHead() {
    return what("model", "type")
        + format(
            " %-16s %10s %12s %8s %7s %9s", "step", "ms", "tokens/s", "GB/s", "/ copy", "TFLOP/s");
  }

  static String step(String what, CudaBenchmark.Figure each, double copy) {
    return what
        + format(
            " %-16s %10.3f %12.1f %8.0f %6.3fx %9.1f",
            each.what(),
            1e3 * each.seconds(),
            each.tokensPerSecond(),
            each.bytesPerSecond() / 1e9,
            each.bytesPerSecond() / copy,
            each.operationsPerSecond() / 1e12);
  }

  static String priceHead() {
    return what("model", "type")
        + format(PRICE, "what", "of", "ours", "us", "same bits", "/ it", "fastest", "us", "price");
  }

  static String price(String what, Price each) {
    return what
        + format(
            PRICE,
            each.what(),
            each.candidates(),
            each.ours().name(),
            micros(each.ours()),
            each.sameBits().name(),
            format("%.3fx", each.choiceRatio()),
            each.fastest().name(),
            micros(each.fastest()),
            format("%.3fx", each.ratio()));
  }

  private static String micros(Price.Timing timing) {
    return format("%.2f", 1e6 * timing.seconds());
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
