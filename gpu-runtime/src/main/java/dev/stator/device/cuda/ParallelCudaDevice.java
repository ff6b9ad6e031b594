package dev.stator.device.cuda;

import dev.stator.device.Fingerprint;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.device.StepPlan;
import dev.stator.kv.KvLayout;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Runs steps on several NVIDIA GPUs of one host, each of which has a part of the model, as {@link
 * Shard} cuts it, and of every KV block. Tensor parallel: all compute all tokens, and add their
 * parts up twice a layer, as {@link RankSums} does.
 *
 * <p><b>Threads:</b> as {@link dev.stator.device.Device} says. One thread feeds all GPUs, half a
 * layer each in turn: launches and copies return at once, and streams wait for each other, so that
 * nothing between a step's upload and its logits waits for the host.
 *
 * <p><b>Ownership:</b> of the drivers, and with them of all device memory, until {@link #close}.
 */
final class ParallelCudaDevice extends AbstractCudaDevice {
  private final List<CudaRank> ranks;
  private final String fingerprint;
  private final boolean isStraight;
  private float[][] logits = {};

  /**
   * @param ranks in their order, with pools of equally many blocks, connected
   * @param isStraight whether parts of sums go straight from GPU to GPU
   */
  private ParallelCudaDevice(
      ModelConfig config,
      int contextLength,
      CudaDeviceSettings settings,
      List<CudaRank> ranks,
      KvLayout layout,
      boolean isStraight) {
    super(
        config,
        contextLength,
        settings,
        ranks,
        layout,
        new ParallelBlockCopies(ranks, layout, settings.hostBlocks()));
    this.ranks = ranks;
    this.isStraight = isStraight;
    fingerprint = joinedFingerprint();
  }

  /**
   * Takes all memory that steps will need, and brings the model's weights there.
   *
   * @param drivers a rank each, closed with the device, and when it cannot be made
   * @throws dev.stator.model.ModelFormatException when a weight cannot be served
   * @throws IllegalArgumentException when the model cannot be cut into so many parts, or a setting
   *     is out of range for it
   * @throws OutOfMemoryError when a GPU has not enough memory; says for what
   */
  static ParallelCudaDevice create(
      LoadedModel model, CudaDeviceSettings settings, List<Driver> drivers) {
    try {
      CudaDevice.requireSupported(model.config());
      requireAlike(drivers);
      final int contextLength = CudaRank.contextLength(settings, model);
      final ModelConfig config = model.config().withRopeScalingFor(contextLength);
      final List<CudaRank> ranks = new ArrayList<>();
      for (Shard shard : Shard.of(config, model.weights(), drivers.size())) {
        ranks.add(newRank(shard, model, contextLength, settings, drivers.get(shard.rank())));
      }
      final int blockCount = ranks.stream().mapToInt(CudaRank::blocksThatFit).min().orElseThrow();
      onEach(ranks, rank -> rank.takePool(blockCount));
      final KvLayout layout = CudaRank.layout(config);
      return new ParallelCudaDevice(config, contextLength, settings, ranks, layout, connect(ranks));
    } catch (RuntimeException | Error e) {
      closeAll(drivers, e);
      throw e;
    }
  }

  /** All in the reverse order; what else fails is told with {@code cause}. */
  static void closeAll(List<Driver> drivers, Throwable cause) {
    for (Driver driver : drivers.reversed()) {
      try {
        driver.close();
      } catch (RuntimeException e) {
        cause.addSuppressed(e);
      }
    }
  }

  private static CudaRank newRank(
      Shard shard,
      LoadedModel model,
      int contextLength,
      CudaDeviceSettings settings,
      Driver driver) {
    driver.attach();
    try {
      return new CudaRank(shard, model.weights(), contextLength, settings, driver);
    } catch (OutOfMemoryError full) {
      final String message = "rank %d of %d: %s";
      final var error =
          new OutOfMemoryError(message.formatted(shard.rank(), shard.degree(), full.getMessage()));
      error.initCause(full);
      throw error;
    }
  }

  private static void requireAlike(List<Driver> drivers) {
    final Driver first = drivers.getFirst();
    for (Driver driver : drivers) {
      if (driver.computeCapability() == first.computeCapability()) continue;
      throw new IllegalArgumentException(
          "GPUs that run a model together must be alike, not %s and %s"
              .formatted(first.title(), driver.title()));
    }
  }

  private static boolean connect(List<CudaRank> ranks) {
    final List<RankSums> sums = ranks.stream().map(CudaRank::sums).toList();
    boolean all = true;
    for (CudaRank rank : ranks) {
      rank.driver().attach();
      all &= rank.sums().connect(sums);
    }
    return all;
  }

  /** The order of sums depends on the number of ranks, so that it is part of the family's name. */
  private String joinedFingerprint() {
    return Fingerprint.ofParts(
        ranks.stream().map(CudaRank::fingerprint).toList(),
        kvLayout().type(),
        ranks.getFirst().family() + "-tp" + ranks.size());
  }

  @Override
  public String description() {
    return "%d GPUs together, %s: %s"
        .formatted(
            ranks.size(),
            isStraight ? "which reach each other" : "which copy through the host's memory",
            String.join("; ", ranks.stream().map(rank -> rank.driver().title()).toList()));
  }

  @Override
  public String numericsFingerprint() {
    return fingerprint;
  }

  @Override
  List<MemoryPlan.Term> deviceTerms() {
    final List<MemoryPlan.Term> terms = new ArrayList<>();
    for (CudaRank rank : ranks) {
      final String title = "rank " + rank.shard().rank() + ": ";
      for (MemoryPlan.Term term : rank.memoryPlan().terms()) {
        terms.add(new MemoryPlan.Term(title + term.what(), term.bytes()));
      }
    }
    return terms;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException when a slice is malformed or outside the device's limits;
   *     nothing is computed then
   * @throws CudaException when a GPU fails, says which; what the step computed is lost
   */
  @Override
  public StepOutput run(StepInput input) {
    check(input);
    onEach(rank -> {
      rank.sums().restart(input.tokenCount());
      rank.upload(input, input.tokenCount());
      rank.forward().embed(rank.step());
    });
    layers();
    final StepPlan plan = ranks.getFirst().step().plan();
    for (int first = 0; first < plan.logitsCount(); first += ranks.getFirst().logitsAtOnce()) {
      computeLogits(first, Math.min(ranks.getFirst().logitsAtOnce(), plan.logitsCount() - first));
    }
    on(ranks.getFirst(), CudaRank::poolStates); // Each has all of x.
    onEach(rank -> rank.stream().synchronize());
    final int sliceCount = input.slices().size();
    return (slice, row) -> logits[logitsRow(plan, sliceCount, slice, row)];
  }

  private void layers() {
    final int halfCount = ranks.getFirst().forward().halfCount();
    for (int i = 0; i < halfCount; i++) {
      final int half = i;
      onEach(rank -> {
        if (half > 0) rank.forward().addSum(half - 1, rank.step(), rank.sums());
        rank.forward().part(half, rank.step(), rank.sums());
      });
      if (ranks.getFirst().sums().isSliced()) onEach(rank -> rank.sums().reduce());
    }
    onEach(rank -> rank.forward().addSum(halfCount - 1, rank.step(), rank.sums()));
  }

  private void computeLogits(int first, int count) {
    onEach(rank -> rank.forward().logits(rank.step(), first, count));
    onEach(rank -> rank.readLogits(first, count));
    reserveLogits(first + count);
    for (CudaRank rank : ranks) {
      final Shard.Part entries = rank.shard().entries();
      for (int row = first; row < first + count; row++) {
        System.arraycopy(rank.logits(row), 0, logits[row], entries.start(), entries.count());
      }
    }
  }

  private void reserveLogits(int count) {
    final int known = logits.length;
    if (known >= count) return;
    logits = Arrays.copyOf(logits, count);
    for (int i = known; i < count; i++) logits[i] = new float[vocabularySize()];
  }

  private void onEach(Consumer<CudaRank> work) {
    onEach(ranks, work);
  }

  private static void onEach(List<CudaRank> ranks, Consumer<CudaRank> work) {
    for (CudaRank rank : ranks) on(rank, work);
  }

  private static void on(CudaRank rank, Consumer<CudaRank> work) {
    try {
      rank.driver().attach();
      work.accept(rank);
    } catch (CudaException e) {
      final Shard shard = rank.shard();
      throw new CudaException(
          "rank %d of %d, on %s: %s"
              .formatted(shard.rank(), shard.degree(), rank.driver().title(), e.getMessage()),
          e);
    }
  }

  @Override
  void closeDrivers() {
    final var failures = new CudaException("not all GPUs could be closed");
    closeAll(ranks.stream().map(CudaRank::driver).toList(), failures);
    if (failures.getSuppressed().length > 0) throw failures;
  }
}
