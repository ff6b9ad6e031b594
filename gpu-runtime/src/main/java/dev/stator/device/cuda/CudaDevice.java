package dev.stator.device.cuda;

import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.device.StepPlan;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import java.util.List;

/**
 * Runs steps on an NVIDIA GPU, by the kernels of {@code native-cuda}. What every operation computes
 * stands in {@code gpu-runtime/NUMERICS.md}.
 *
 * <p><b>Threads:</b> as {@link dev.stator.device.Device} says.
 *
 * <p><b>Ownership:</b> of the driver, and with it of all device memory, until {@link #close}. The
 * model is read while the device is made and not afterwards.
 */
public final class CudaDevice extends AbstractCudaDevice {
  /** Tokens of a KV block. */
  public static final int BLOCK_SIZE = 16;

  /** Of a mixture: a lane of a warp holds 16. */
  private static final int EXPERTS_MAX = 512;

  private final CudaRank rank;
  private final int stepTokensMax;
  private final DecodeGraphs graphs; // Null when steps are not recorded.

  private CudaDevice(
      ModelConfig config, int contextLength, CudaDeviceSettings settings, CudaRank rank) {
    super(config, contextLength, settings, List.of(rank), rank.layout(), copies(rank, settings));
    this.rank = rank;
    stepTokensMax = settings.stepTokensMax();
    graphs = settings.usesGraphs() ? new DecodeGraphs(rank.stream()) : null;
  }

  private static CudaBlockCopies copies(CudaRank rank, CudaDeviceSettings settings) {
    return new CudaBlockCopies(
        rank.driver(), rank.pool(), rank.layout(), rank.blockCount(), settings.hostBlocks());
  }

  /**
   * Takes all memory that steps will need, and brings the model's weights there.
   *
   * @param driver the device's, closed with it, and when it cannot be made
   * @throws dev.stator.model.ModelFormatException when a weight cannot be served
   * @throws IllegalArgumentException when a setting is out of range for this model
   * @throws OutOfMemoryError when the device has not enough memory; says for what
   */
  static CudaDevice create(LoadedModel model, CudaDeviceSettings settings, Driver driver) {
    try {
      requireSupported(model.config());
      final int contextLength = CudaRank.contextLength(settings, model);
      final ModelConfig config = model.config().withRopeScalingFor(contextLength);
      final CudaRank rank =
          new CudaRank(Shard.whole(config), model.weights(), contextLength, settings, driver);
      rank.takePool(rank.blocksThatFit());
      return new CudaDevice(config, contextLength, settings, rank);
    } catch (RuntimeException | Error e) {
      driver.close();
      throw e;
    }
  }

  /** Why there are no kernels for a model; {@code null} when there are. */
  public static String obstacle(ModelConfig config) {
    final FeedForwardVariant.Experts experts = config.feedForward().experts();
    if (experts != null && experts.count() > EXPERTS_MAX) {
      return "mixtures on CUDA devices take up to %d experts, this model has %d"
          .formatted(EXPERTS_MAX, experts.count());
    }
    if (!AttentionShape.HEAD_SIZES.contains(config.headSize())) {
      return "attention on CUDA devices takes heads of %s values, this model's have %d"
          .formatted(AttentionShape.HEAD_SIZES, config.headSize());
    }
    final int[] inputs =
        experts == null
            ? new int[] {config.hiddenSize(), config.querySize(), config.intermediateSize()}
            : new int[] {
              config.hiddenSize(),
              config.querySize(),
              experts.intermediateSize(),
              experts.sharedSize()
            };
    for (int columns : inputs) {
      if (columns % MatmulShape.COLUMNS_MULTIPLE != 0) {
        return "products on CUDA devices take multiples of %d inputs, this model's have %d"
            .formatted(MatmulShape.COLUMNS_MULTIPLE, columns);
      }
    }
    return null;
  }

  /**
   * @throws IllegalArgumentException when there is an {@link #obstacle}
   */
  static void requireSupported(ModelConfig config) {
    final String obstacle = obstacle(config);
    if (obstacle != null) throw new IllegalArgumentException(obstacle);
  }

  @Override
  public String description() {
    return rank.driver().title();
  }

  @Override
  public String numericsFingerprint() {
    return rank.fingerprint();
  }

  @Override
  List<MemoryPlan.Term> deviceTerms() {
    return rank.memoryPlan().terms();
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException when a slice is malformed or outside the device's limits;
   *     nothing is computed then
   * @throws CudaException when the device fails; what the step computed is lost
   */
  @Override
  public StepOutput run(StepInput input) {
    check(input);
    rank.driver().attach();
    if (graphs != null && isDecode(input)) runDecode(input);
    else runStep(input);
    return output(input.slices().size());
  }

  /** As {@link CudaRank#vary}: other bits, for measurements. */
  void vary(StepVariant variant) {
    rank.driver().attach();
    rank.vary(variant);
    if (graphs != null) graphs.forget();
  }

  CudaRank rank() {
    return rank;
  }

  private StepOutput output(int sliceCount) {
    final StepPlan plan = rank.step().plan();
    return new StepOutput() {
      @Override
      public float[] logits(int slice, int row) {
        return rank.logits(logitsRow(plan, sliceCount, slice, row));
      }

      @Override
      public int best(int slice, int row) {
        return rank.best(logitsRow(plan, sliceCount, slice, row));
      }
    };
  }

  /** Whether each sequence decodes one token. */
  private static boolean isDecode(StepInput input) {
    if (input.slices().size() > CudaRank.LOGITS_ROWS_MAX) return false;
    for (StepInput.Slice slice : input.slices()) {
      if (slice.tokenCount() != 1 || slice.logitsCount() != 1) return false;
    }
    return true;
  }

  private void runDecode(StepInput input) {
    final int count = input.slices().size();
    final int padded = Math.min(stepTokensMax, paddedRows(count));
    rank.upload(input, padded);
    final CudaStep step = rank.step();
    final Runnable work =
        () -> {
          rank.forward().layers(step);
          rank.forward().logits(step, 0, padded);
          rank.findBest(padded);
        };
    if (step.attention().prefill() == null) graphs.run(keyOf(step), work);
    else work.run(); // Attention's workspace is full: a grid of this step's own.
    read(0, count);
  }

  private void read(int first, int count) {
    if (rank.wantsBest()) rank.readBest(count);
    else rank.readLogits(first, count);
  }

  private static DecodeGraphs.Key keyOf(CudaStep step) {
    return new DecodeGraphs.Key(step.rowCount(), step.attention().bucket(), step.generation());
  }

  /** Few counts, so that few graphs are recorded: powers of two, and half way between them. */
  private static int paddedRows(int count) {
    final int power = Integer.highestOneBit(count);
    if (count == power) return count;
    return count <= power + power / 2 ? power + power / 2 : 2 * power;
  }

  private void runStep(StepInput input) {
    rank.upload(input, input.tokenCount());
    rank.forward().layers(rank.step());
    final int logitsCount = rank.step().plan().logitsCount();
    for (int first = 0; first < logitsCount; first += rank.logitsAtOnce()) {
      final int count = Math.min(rank.logitsAtOnce(), logitsCount - first);
      rank.forward().logits(rank.step(), first, count);
      if (rank.wantsBest()) rank.findBest(count);
      read(first, count);
    }
    rank.poolStates();
    if (logitsCount == 0) rank.stream().synchronize();
  }

  @Override
  void closeDrivers() {
    rank.driver().close();
  }
}
