package dev.stator.device.cpu;

import dev.stator.device.Device;
import dev.stator.device.KvMemory;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepLimits;
import dev.stator.device.StepOutput;
import dev.stator.device.StepPlan;
import dev.stator.kv.KvLayout;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.WeightType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs steps on the CPU: projections and attention by native kernels where there are any, all else
 * by the Vector API in float32. What every operation computes, to the bit, is in {@code
 * gpu-runtime/NUMERICS.md}.
 *
 * <p><b>Threads:</b> as {@link Device} says; a pool of its own shares each step.
 *
 * <p><b>Ownership:</b> the model stays the caller's and must stay open as long as the device:
 * embeddings are read from it. Packed weights and KV blocks are off-heap and freed by {@link
 * #close}.
 */
public final class CpuDevice implements Device {
  private static final Logger LOG = LoggerFactory.getLogger(CpuDevice.class);

  /** Tokens of a KV block. */
  public static final int BLOCK_SIZE = 16;

  private final ModelConfig config;
  private final String fingerprint;
  private final KvLayout layout;
  private final int blockCount;
  private final int contextLength;
  private final int stepTokensMax;
  private final StepLimits limits;
  private final Arena arena;
  private final WorkerPool pool;
  private final PackedWeights weights;
  private final KvMemory kvMemory;
  private final MemorySegment kv;
  private final ForwardPass forward;
  private final KernelChoice.All choices = new KernelChoice.All();
  private final WarmUp warmUp;
  private final String kernels;

  /** Null once all weights are packed. Written by the engine's thread. */
  private volatile BackgroundPacking packing;

  private CpuDevice(
      LoadedModel model,
      CpuDeviceSettings settings,
      BackgroundPacking.Plan packingPlan,
      KvMemory.Allocator allocator,
      Arena arena,
      WorkerPool pool) {
    this.arena = arena;
    this.pool = pool;
    contextLength = contextLength(settings, model.config());
    config = model.config().withRopeScalingFor(contextLength);
    layout =
        new KvLayout(
            config.layerCount(),
            config.keyValueHeadCount(),
            config.headSize(),
            settings.kvType(),
            BLOCK_SIZE);
    blockCount = blockCount(settings, layout, contextLength);
    stepTokensMax = settings.stepTokensMax();
    limits =
        new StepLimits(
            stepTokensMax,
            contextLength,
            blockCount,
            BLOCK_SIZE,
            config.vocabularySize(),
            config.hiddenSize());
    requireWorkspaceFits(config, stepTokensMax, contextLength);
    final NativeKernels nativeKernels = nativeKernels(settings.kernels());
    weights = new PackedWeights(config, model.weights(), choices, nativeKernels);
    final boolean isScalar = obstacleTo(settings.kernels()) != null;
    kernels = kernels(nativeKernels, isScalar);
    warmUp =
        chooseKernels(settings.kernels(), isScalar, nativeKernels == null ? layout.type() : null);
    final boolean packsLater = weights.nativeBytes() >= packingPlan.bytesMin();
    final MemorySegment[] panels =
        packsLater
            ? BackgroundPacking.panels(pool.threadCount(), weights.nativePanelBytesMax())
            : null;
    load(panels);
    kvMemory = allocator.allocate(blockCount * layout.blockBytes());
    kv = kvMemory.segment();
    final KvCache cache = new KvCache(layout, kv);
    final Set<Inputs.Form> forms = weights.inputForms();
    final FeedForwardVariant.Experts experts = config.feedForward().experts();
    final int inputRows = stepTokensMax * (experts == null ? 1 : experts.usedCount());
    final var inputs = new Inputs(arena, forms, nativeKernels, inputRows, weights.columnsMax());
    forward =
        new ForwardPass(
            config,
            weights,
            cache,
            Attention.fastest(
                Attention.Heads.of(config),
                cache,
                contextLength,
                nativeKernels,
                choices.others(),
                arena),
            pool,
            stepTokensMax,
            contextLength,
            inputs,
            choices.others());
    fingerprint = weights.fingerprint().of(config, layout.type(), family(forms));
    if (!weights.left().isEmpty()) packing = beginPacking(packingPlan, panels);
  }

  private BackgroundPacking beginPacking(BackgroundPacking.Plan plan, MemorySegment[] panels) {
    final var begun = new BackgroundPacking(weights.left(), weights::unloadFile, plan, panels);
    forward.setPanels(panels);
    begun.start();
    return begun;
  }

  /** Loads the kernels that the first device would, so that it can be done beside other work. */
  public static void loadKernels() {
    NativeKernels.find();
  }

  /** Memory of this process alone, in huge pages where there are any. */
  public static KvMemory.Allocator ownMemory() {
    return OwnKvMemory::allocate;
  }

  /** As the longer {@code create}, with KV blocks in {@link #ownMemory}. */
  public static CpuDevice create(LoadedModel model, CpuDeviceSettings settings) {
    return create(model, settings, ownMemory());
  }

  /**
   * Repacks the model's weights and takes all memory that steps will need.
   *
   * @param allocator gives the KV blocks' memory, which the device closes
   * @throws dev.stator.model.ModelFormatException when a weight cannot be served
   * @throws IllegalArgumentException when a setting is out of range for this model
   * @throws IllegalStateException when this JVM was started without the Vector API
   */
  public static CpuDevice create(
      LoadedModel model, CpuDeviceSettings settings, KvMemory.Allocator allocator) {
    return create(model, settings, allocator, BackgroundPacking.Plan.of(settings));
  }

  /** With a plan of its own instead of the settings'. */
  static CpuDevice create(
      LoadedModel model,
      CpuDeviceSettings settings,
      KvMemory.Allocator allocator,
      BackgroundPacking.Plan packing) {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      throw new IllegalStateException(
          "the CPU device needs a JVM started with --add-modules=jdk.incubator.vector");
    }
    final Arena arena = Arena.ofShared();
    final WorkerPool pool = new WorkerPool(settings.threads());
    final List<KvMemory> taken = new ArrayList<>();
    final KvMemory.Allocator taking =
        bytes -> {
          taken.add(allocator.allocate(bytes));
          return taken.getLast();
        };
    try {
      return new CpuDevice(model, settings, packing, taking, arena, pool);
    } catch (RuntimeException | Error e) {
      pool.close();
      arena.close();
      taken.forEach(KvMemory::close);
      throw e;
    }
  }

  private static NativeKernels nativeKernels(CpuDeviceSettings.Kernels wanted) {
    if (wanted != CpuDeviceSettings.Kernels.AUTO && wanted != CpuDeviceSettings.Kernels.NATIVE) {
      return null;
    }
    final NativeKernels.Found found = NativeKernels.find();
    if (found.kernels() != null) return found.kernels();
    if (wanted == CpuDeviceSettings.Kernels.NATIVE) {
      throw new IllegalStateException(
          "stator.device.cpu.kernels is native, but there are no native kernels: "
              + found.obstacle());
    }
    LOG.info("Kernels in Java, there are no native ones: {}", found.obstacle());
    return null;
  }

  /** For the user: the native kernels' instruction set, and which types Java's kernels compute. */
  private String kernels(NativeKernels nativeKernels, boolean isScalar) {
    final String java = isScalar ? "scalar kernels" : "Vector API " + 32 * Lanes.COUNT + "-bit";
    final Set<WeightType> javaTypes = weights.javaTypes();
    if (weights.inputForms().equals(Set.of(Inputs.Form.FLOATS))) return java;
    if (javaTypes.isEmpty()) return nativeKernels.title();
    final String types = new TreeSet<>(javaTypes).toString();
    return nativeKernels.title() + ", " + types.substring(1, types.length() - 1) + " by " + java;
  }

  /** Whether vector kernels run by now, for all that native ones do not compute. */
  boolean usesVectors() {
    return choices.others().usesVectors()
        && weights.javaTypes().stream().allMatch(type -> choices.projections(type).usesVectors());
  }

  private static String obstacleTo(CpuDeviceSettings.Kernels kernels) {
    if (kernels == CpuDeviceSettings.Kernels.SCALAR) return "stator.device.cpu.kernels is scalar";
    final String obstacle = KernelChoice.obstacle();
    if (obstacle != null)
      LOG.warn("Scalar kernels, many times slower than vector ones: {}", obstacle);
    return obstacle;
  }

  /**
   * @param attended what Java's attention reads; {@code null} where attention is native
   */
  private WarmUp chooseKernels(
      CpuDeviceSettings.Kernels kernels, boolean isScalar, KvLayout.KvType attended) {
    if (isScalar) return null;
    if (kernels != CpuDeviceSettings.Kernels.VECTOR) {
      return new WarmUp(
          config.headSize(),
          attended,
          config.feedForward().activation(),
          weights.javaTypes(),
          choices);
    }
    choices.useVectors();
    return null;
  }

  /**
   * A large model's first prompt would take longer with scalar kernels than compiling vector ones,
   * which goes on beside the packing. A small one answers before that.
   */
  private void load(MemorySegment[] panels) {
    if (warmUp == null || !weights.isBeyondCaches()) {
      weights.load(arena, pool, panels);
      return;
    }
    try {
      warmUp.start();
      weights.load(arena, pool, panels);
      warmUp.await();
    } catch (RuntimeException | Error broken) {
      warmUp.close();
      throw broken;
    }
  }

  /** What the projections read, each by a program of its own. */
  private static String family(Set<Inputs.Form> forms) {
    return forms.stream().sorted().map(Inputs.Form::program).collect(Collectors.joining("+"));
  }

  private static int blockCount(CpuDeviceSettings settings, KvLayout layout, int contextLength) {
    if (settings.blockCount() > 0) return settings.blockCount();
    final long sequenceBytes = Math.ceilDiv(contextLength, BLOCK_SIZE) * layout.blockBytes();
    final long kvBytes = settings.kvBytes(sequenceBytes);
    final long count = kvBytes / layout.blockBytes();
    if (count < 1) {
      throw new IllegalArgumentException(
          "stator.device.cpu.kv-bytes is "
              + kvBytes
              + ", one block of this model needs "
              + layout.blockBytes());
    }
    return (int) Math.min(count, Integer.MAX_VALUE);
  }

  private static int contextLength(CpuDeviceSettings settings, ModelConfig config) {
    return settings.contextLength() == 0
        ? config.contextLength()
        : Math.min(settings.contextLength(), config.contextLength());
  }

  private static void requireWorkspaceFits(
      ModelConfig config, int stepTokensMax, int contextLength) {
    final long widest = widestRow(config);
    if (widest * stepTokensMax > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "stator.device.cpu.step-tokens-max is "
              + stepTokensMax
              + ", this model allows "
              + (Integer.MAX_VALUE - 8) / widest);
    }
    final int perToken = Math.max(JavaAttention.TILE_QUERIES, config.headSize() / 2);
    if ((long) contextLength * perToken > Integer.MAX_VALUE - 64) {
      throw new IllegalArgumentException(
          "stator.device.cpu.context-length is "
              + contextLength
              + ", this model allows "
              + (Integer.MAX_VALUE - 64) / perToken);
    }
  }

  /** Values that a step keeps of a token in one array, at most. */
  private static long widestRow(ModelConfig config) {
    final long attention = Math.max(config.querySize(), config.hiddenSize());
    final FeedForwardVariant.Experts experts = config.feedForward().experts();
    if (experts == null) return Math.max(attention, config.intermediateSize());
    final long perExpert = Math.max(config.hiddenSize(), experts.intermediateSize());
    final long routed = Math.max(experts.count(), experts.usedCount() * perExpert);
    return Math.max(Math.max(attention, experts.sharedSize()), routed);
  }

  @Override
  public String description() {
    final int threads = pool.threadCount();
    return "CPU, " + kernels + ", " + threads + (threads == 1 ? " thread" : " threads");
  }

  @Override
  public String numericsFingerprint() {
    return fingerprint;
  }

  @Override
  public KvLayout kvLayout() {
    return layout;
  }

  @Override
  public int blockCount() {
    return blockCount;
  }

  @Override
  public KvMemory kvMemory() {
    return kvMemory;
  }

  @Override
  public int vocabularySize() {
    return config.vocabularySize();
  }

  @Override
  public int embeddingSize() {
    return config.hiddenSize();
  }

  @Override
  public int stepTokensWanted() {
    return Math.min(Device.super.stepTokensWanted(), stepTokensMax);
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public MemorySegment block(int blockIndex) {
    if (blockIndex < 0 || blockIndex >= blockCount) {
      throw new IllegalArgumentException("block " + blockIndex + " is not one of " + blockCount);
    }
    return kv.asSlice(blockIndex * layout.blockBytes(), layout.blockBytes());
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException when a slice is malformed or outside the device's limits;
   *     nothing is computed then
   */
  @Override
  public StepOutput run(StepInput input) {
    limits.check(input);
    followPacking();
    final StepPlan plan = forward.plan();
    plan.reset(input.slices());
    forward.run();
    if (warmUp != null) warmUp.start();
    if (packing != null) packing.stepped();
    final int sliceCount = input.slices().size();
    return (slice, row) -> {
      if (slice < 0 || slice >= sliceCount || plan.logitsRow(slice, row) < 0) {
        throw new IllegalArgumentException("slice " + slice + " wanted no logits in row " + row);
      }
      return forward.logits(plan.logitsRow(slice, row));
    };
  }

  /** What weights are left to pack, for tests; {@code null} when none are. */
  BackgroundPacking packing() {
    return packing;
  }

  /** Before a step, since no worker multiplies then. */
  private void followPacking() {
    if (packing == null) return;
    packing.requireIntact();
    if (!packing.isDone()) return;
    forward.setPanels(null);
    packing.close();
    packing = null;
  }

  @Override
  public MemoryPlan memoryPlan() {
    final List<MemoryPlan.Term> terms = new ArrayList<>(weights.memory());
    terms.add(
        new MemoryPlan.Term(
            "KV pool: "
                + blockCount
                + " blocks of "
                + layout.blockBytes()
                + " bytes, "
                + layout.type().title(),
            blockCount * layout.blockBytes()));
    terms.add(
        new MemoryPlan.Term(
            "workspace for " + stepTokensMax + " tokens a step", forward.workspaceBytes()));
    final BackgroundPacking unfinished = packing;
    if (unfinished != null) {
      terms.add(
          new MemoryPlan.Term(
              "a panel of weights for each thread, until all are packed", unfinished.bytes()));
    }
    return new MemoryPlan(terms);
  }

  @Override
  public void close() {
    if (warmUp != null) warmUp.close();
    if (packing != null) packing.close();
    pool.close();
    arena.close();
    kvMemory.close();
  }
}
