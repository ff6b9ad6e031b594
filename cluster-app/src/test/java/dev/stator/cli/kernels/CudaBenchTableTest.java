package dev.stator.cli.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.device.cuda.CudaBenchmark;
import dev.stator.device.cuda.Price;
import org.junit.jupiter.api.Test;

class CudaBenchTableTest {
  private static final String WHAT = CudaBenchTable.what("8B", "BF16");

  @Test
  void shouldShowStepsBesideACopy() {
    assertEquals(
        "copy of device memory: 4000 GB/s, read and written",
        CudaBenchTable.head("a GPU", 5, 4e12).get(1));
    assertEquals(
        "  model type    step                     ms     tokens/s     GB/s  / copy   TFLOP/s",
        CudaBenchTable.stepHead());
    assertEquals(
        "  8B    BF16    decode of 64          5.000      12800.0     3000  0.750x     200.0",
        CudaBenchTable.step(
            WHAT, new CudaBenchmark.Figure("decode of 64", 64, 5e-3, 3e12, 2e14), 4e12));
  }

  @Test
  void shouldShowPricesAndWhatAnotherChoiceWouldSave() {
    assertEquals(
        "  model type    what                              of  ours            "
            + "   us  same bits         / it  fastest                           us   price",
        CudaBenchTable.priceHead());
    final Price price =
        new Price(
            "attention out 4096 x 4096, 8",
            40,
            new Price.Timing("decode_8", 12e-6),
            new Price.Timing("decode_16", 11.9e-6),
            new Price.Timing("free_8, 4 x 8 ranges", 10e-6));
    assertEquals(
        "  8B    BF16    attention out 4096 x 4096, 8      40  decode_8        "
            + "12.00  decode_16       1.008x  free_8, 4 x 8 ranges           10.00  1.200x",
        CudaBenchTable.price(WHAT, price));
  }
}
