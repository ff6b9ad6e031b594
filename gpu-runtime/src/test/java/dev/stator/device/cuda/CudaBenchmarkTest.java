package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.ModelConfig;
import dev.stator.model.WeightType;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CudaBenchmarkTest {
  private static final ModelConfig SMALL = CudaBenchmark.config(1, 256, 256, 4, 2, 64, 64, 256);

  @ParameterizedTest
  @EnumSource(names = {"BF16", "Q8_0", "Q4_K", "Q6_K", "F8_E4M3"})
  void shouldMeasureEveryKindOfStep(WeightType type) {
    final var benchmark = new CudaBenchmark(CudaTests::open, 1);
    final List<CudaBenchmark.Figure> figures = benchmark.measure(SMALL, type, 3, 20);
    assertEquals(
        List.of("decode of 1", "decode of 3", "prefill of 20", "prefill of 5"),
        figures.stream().map(CudaBenchmark.Figure::what).toList());
    for (CudaBenchmark.Figure figure : figures) {
      assertTrue(figure.seconds() > 0 && figure.bytesPerSecond() > 0, figure.toString());
      assertTrue(figure.operationsPerSecond() > 0, figure.toString());
    }
    assertTrue(benchmark.copyBytesPerSecond(1 << 16) > 0);
  }
}
