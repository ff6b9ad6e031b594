package dev.stator.device.cuda;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.device.HostBlocks;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepLimits;
import dev.stator.device.StepPlan;
import dev.stator.kv.KvLayout;
import dev.stator.model.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What one GPU and several that run a model together have in common, as the engine sees them. */
abstract sealed class AbstractCudaDevice implements Device permits CudaDevice, ParallelCudaDevice {
  private final ModelConfig config;
  private final KvLayout layout;
  private final StepLimits limits;
  private final int hostBlocks;
  private final BlockCopies copies;
  private final CudaHostBlocks tier; // Null without a host tier.

  /**
   * Takes the host tier, the last of all memory.
   *
   * @param config with the rotation that is served
   * @param contextLength the longest sequence
   * @param ranks that have taken their pools
   * @param layout of whole blocks
   */
  AbstractCudaDevice(
      ModelConfig config,
      int contextLength,
      CudaDeviceSettings settings,
      List<CudaRank> ranks,
      KvLayout layout,
      BlockCopies copies) {
    this.config = config;
    this.layout = layout;
    this.copies = copies;
    limits =
        new StepLimits(
            settings.stepTokensMax(),
            contextLength,
            ranks.getFirst().blockCount(),
            CudaDevice.BLOCK_SIZE,
            config.vocabularySize(),
            config.hiddenSize());
    hostBlocks = settings.hostBlocks();
    tier = CudaHostBlocks.of(settings, ranks, layout);
  }

  /**
   * @throws IllegalArgumentException when a slice is malformed or outside the device's limits
   */
  final void check(StepInput input) {
    limits.check(input);
  }

  /**
   * A slice's row of logits, as the plan numbers them.
   *
   * @throws IllegalArgumentException when the slice wanted no logits there
   */
  static int logitsRow(StepPlan plan, int sliceCount, int slice, int row) {
    if (slice < 0 || slice >= sliceCount || plan.logitsRow(slice, row) < 0) {
      throw new IllegalArgumentException("slice " + slice + " wanted no logits in row " + row);
    }
    return plan.logitsRow(slice, row);
  }

  @Override
  public final KvLayout kvLayout() {
    return layout;
  }

  @Override
  public final int blockCount() {
    return limits.blockCount();
  }

  @Override
  public final int vocabularySize() {
    return config.vocabularySize();
  }

  @Override
  public final int embeddingSize() {
    return config.hiddenSize();
  }

  @Override
  public final int stepTokensWanted() {
    return limits.tokensMax();
  }

  @Override
  public final int contextLength() {
    return limits.contextLength();
  }

  /** Device memory, term by term. */
  abstract List<MemoryPlan.Term> deviceTerms();

  @Override
  public final MemoryPlan memoryPlan() {
    final List<MemoryPlan.Term> terms = new ArrayList<>(deviceTerms());
    terms.add(
        new MemoryPlan.Term(
            "page-locked host memory: copies of %d blocks".formatted(hostBlocks),
            hostBlocks * layout.blockBytes()));
    terms.add(CudaHostBlocks.term(tier, layout));
    return new MemoryPlan(terms);
  }

  @Override
  public final MemorySegment block(int blockIndex) {
    throw new UnsupportedOperationException("the CPU does not address a CUDA device's blocks");
  }

  @Override
  public final BlockCopies blockCopies() {
    return copies;
  }

  @Override
  public final HostBlocks hostBlocks() {
    return tier;
  }

  /** Closes the drivers, and with them frees all memory. */
  abstract void closeDrivers();

  @Override
  public final void close() {
    if (tier != null) tier.close();
    closeDrivers();
  }
}
