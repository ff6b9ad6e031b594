package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.ModelConfig;
import dev.stator.model.WeightType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CudaBenchmarkTest {
  private static final ModelConfig SMALL = CudaBenchmark.config(1, 256, 256, 4, 2, 64, 64, 256);
  private static final CudaBenchmark.Loads LOADS =
      new CudaBenchmark.Loads(
          List.of(1), List.of(130, 600), List.of(140), List.of(1), List.of(70), 1 << 17);

  private final CudaBenchmark benchmark = new CudaBenchmark(CudaTests::open, 1);

  @ParameterizedTest
  @EnumSource(names = {"BF16", "Q8_0", "Q4_K", "Q6_K", "F8_E4M3"})
  void shouldMeasureEveryKindOfStepAndItsPrices(WeightType type) {
    final List<CudaBenchmark.Figure> figures = new ArrayList<>();
    final List<Price> prices = new ArrayList<>();
    benchmark.measure(SMALL, type, 3, 20, LOADS, figures::add, prices::add);
    assertEquals(
        List.of("decode of 1", "decode of 3", "prefill of 20", "prefill of 5"),
        figures.stream().map(CudaBenchmark.Figure::what).toList());
    for (CudaBenchmark.Figure figure : figures) {
      assertTrue(figure.seconds() > 0 && figure.bytesPerSecond() > 0, figure.toString());
      assertTrue(figure.operationsPerSecond() > 0, figure.toString());
    }
    assertEquals(
        MatmulVariant.isFree(type) ? whatIsPriced() : List.of(),
        prices.stream().map(Price::what).toList());
    prices.forEach(CudaBenchmarkTest::check);
    assertTrue(benchmark.copyBytesPerSecond(1 << 16) > 0);
  }

  private static List<String> whatIsPriced() {
    final List<String> expected = new ArrayList<>();
    for (int tokens : LOADS.tokens()) {
      expected.add("norm 256, " + tokens);
      expected.add("q, k, v 512 x 256, " + tokens);
      expected.add("attention out 256 x 256, " + tokens);
      expected.add("gate, up 512 x 256, " + tokens);
      expected.add("down 256 x 256, " + tokens);
      expected.add("head 64 x 256, " + tokens);
    }
    expected.add("decode step, 1 x 140");
    return expected;
  }

  @Test
  void shouldMeasureWhatAttentionsOneSplitCosts() {
    final List<Price> prices = new ArrayList<>();
    benchmark.attentionPrices(SMALL, LOADS, prices::add);
    assertEquals(
        List.of("decode attention, 1 x 130", "decode attention, 1 x 600", "prefill attention, 70"),
        prices.stream().map(Price::what).toList());
    prices.forEach(CudaBenchmarkTest::check);
    assertEquals(List.of(64, 128, 192), AttentionPrices.splits(130));
    assertEquals(4, prices.getFirst().candidates(), "those, and ours");
  }

  private static void check(Price price) {
    assertTrue(price.ratio() > 0 && price.choiceRatio() > 0, price.toString());
    assertTrue(price.candidates() > 1, price.toString());
  }
}
