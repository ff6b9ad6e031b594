package dev.stator.device.cuda;

import dev.stator.device.StepInput;
import java.util.ArrayList;
import java.util.List;

/**
 * What the same bytes cost whole decode steps: the step as it is beside the same with the fastest
 * products that were found, and with whichever split of attention is the fastest.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class StepPrices {
  private final CudaDevice device;
  private final ProductPrices products;
  private final int rounds;

  /**
   * @param products that have been measured for as many tokens as there will be sequences
   */
  StepPrices(CudaDevice device, ProductPrices products, int rounds) {
    this.device = device;
    this.products = products;
    this.rounds = rounds;
  }

  /**
   * Sequences of one length that decode a token each, and want the likeliest.
   *
   * @param context up to what the device's blocks hold of so many sequences
   */
  Price decode(int batch, int context) {
    final CudaRank rank = device.rank();
    rank.driver().attach();
    rank.stream()
        .fill(rank.pool(), CudaBenchmark.SMALL, rank.blockCount() * rank.layout().blockBytes());
    final StepInput step = step(batch, context);
    final List<Contest.Entry> entries = new ArrayList<>();
    final StepVariant free = products.fastest(batch);
    entries.add(entry("as it runs", true, step, StepVariant.FIXED));
    entries.add(entry("other products", true, step, products.fastestOfSameBits()));
    entries.add(entry("free products", false, step, free));
    for (int split : AttentionPrices.splits(context)) {
      entries.add(entry("split " + split, false, step, StepVariant.FIXED.withSplit(split)));
      entries.add(entry("free, split " + split, false, step, free.withSplit(split)));
    }
    final String what = "decode step, %d x %d".formatted(batch, context);
    try {
      return new Contest(rounds).run(what, entries).price();
    } finally {
      device.vary(StepVariant.FIXED);
    }
  }

  private Contest.Entry entry(
      String name, boolean hasOurBits, StepInput step, StepVariant variant) {
    return new Contest.Entry(name, hasOurBits, new Varied(step, variant));
  }

  private StepInput step(int batch, int context) {
    final int[] tokens = new int[context];
    for (int i = 0; i < context; i++) tokens[i] = (i * 31 + 7) % device.vocabularySize();
    final int blocks = Math.ceilDiv(context, CudaDevice.BLOCK_SIZE);
    final List<StepInput.Slice> slices = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      final int[] own = new int[blocks];
      for (int b = 0; b < blocks; b++) own[b] = b * batch + i;
      slices.add(new StepInput.Slice(tokens, context - 1, 1, own, 1, true, null));
    }
    return new StepInput(slices);
  }

  /** The step with other kernels. */
  private final class Varied implements Contest.Timed {
    private final StepInput step;
    private final StepVariant variant;

    private Varied(StepInput step, StepVariant variant) {
      this.step = step;
      this.variant = variant;
    }

    @Override
    public void ready() {
      device.vary(variant);
      for (int i = 0; i < CudaBenchmark.WARM_UPS; i++) device.run(step);
    }

    @Override
    public double seconds() {
      final long start = System.nanoTime();
      device.run(step);
      return (System.nanoTime() - start) / 1e9;
    }

    @Override
    public void close() {}
  }
}
