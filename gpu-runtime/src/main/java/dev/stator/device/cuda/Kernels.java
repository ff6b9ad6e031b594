package dev.stator.device.cuda;

import dev.stator.kv.KvLayout;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.WeightType;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.Map;

/**
 * Launches of {@code native-cuda}'s kernels on one stream, a method each; the structs that they
 * take stand in {@code params.h}. Addresses are device memory.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class Kernels {
  /** Names the programs of all kernels, see {@code NUMERICS.md}. */
  private static final String FAMILY = "cuda-mma-1";

  private static final int ELEMENT_THREADS = 256;
  private static final int ELEMENT_BLOCKS_MAX = 65_535;
  private static final int ELEMENTS_OF_THREAD = 4;
  private static final int ROW_THREADS = 256;
  private static final int HEAD_THREADS = 128; // A warp a head.
  private static final int ROUTE_THREADS = 128; // A warp a token.
  private static final int GROUP_WARPS_MAX = 32;
  private static final int WARP = 32;
  private static final int ARGMAX_THREADS = 1024;

  private final Driver driver;
  private final Driver.Stream stream;
  private final KernelParams params = new KernelParams(Arena.ofAuto());
  private final Map<String, Driver.Kernel> kernels = new HashMap<>();
  private long packedInput; // 0 where none can be packed.
  private boolean usesWgmma;
  private StepVariant variant = StepVariant.FIXED; // Another in measurements alone.

  Kernels(Driver driver, Driver.Stream stream) {
    this.driver = driver;
    this.stream = stream;
  }

  /**
   * Names what decides the bits: the programs, and the architecture, whose matrix instruction adds
   * in an order of its own.
   */
  String family() {
    return FAMILY + "-sm" + driver.computeCapability();
  }

  Driver.Stream stream() {
    return stream;
  }

  /** {@code x[row] = embedding of tokens[row], times scale}. */
  void embed(CudaMatrix embedding, long tokens, long x, float scale, int rows) {
    params
        .reset()
        .address(embedding.address())
        .address(tokens)
        .address(x)
        .int32(embedding.columns())
        .float32(scale);
    launch(MatmulShape.embed(embedding.type(), rows));
  }

  /** {@code to[row] = rmsNorm(x[row]) * weight}, bf16. */
  void norm(long x, long weight, long to, int size, float epsilon, int rows) {
    norm(variant.normThreads(), x, weight, to, size, epsilon, rows);
  }

  /**
   * @param threads of a row, 512 or 1024; 0 for those whose bits are promised
   */
  void norm(int threads, long x, long weight, long to, int size, float epsilon, int rows) {
    final String kernel = threads == 0 ? "rms_norm" : "rms_norm_free_" + threads;
    normParams(x, weight, to, size, epsilon);
    launch(kernel, rows, 1, threads == 0 ? ROW_THREADS : threads, 0);
  }

  /** {@code to[row] = rmsNorm(x[row]) * weight}, float32; {@code to} may be {@code x}. */
  void normFloats(long x, long weight, long to, int size, float epsilon, int rows) {
    normParams(x, weight, to, size, epsilon);
    launch("rms_norm_f32", rows, 1, ROW_THREADS, 0);
  }

  private void normParams(long x, long weight, long to, int size, float epsilon) {
    params.reset().address(x).address(weight).address(to).int32(size).int32(size).float32(epsilon);
  }

  /** {@code to += from}. */
  void add(long to, long from, long count) {
    params.reset().address(to).address(from).int32(Math.toIntExact(count));
    launchElements("add_f32", count);
  }

  /**
   * The sum of parts in their order goes to, or is added to, {@code to}.
   *
   * @param count of each part
   * @param stride floats from one part to the next
   */
  void sumParts(long to, long parts, long count, int partCount, int stride, boolean adds) {
    params
        .reset()
        .address(to)
        .address(parts)
        .int32(Math.toIntExact(count))
        .int32(partCount)
        .int32(stride)
        .int32(adds ? 1 : 0);
    launchElements("sum_parts", count);
  }

  /** {@code values = cap * tanh(values / cap)}. */
  void softcap(long values, long count, float cap) {
    params.reset().address(values).int32(Math.toIntExact(count)).float32(cap);
    launchElements("softcap", count);
  }

  /** Rows {@code [gate | up]} become {@code activation(gate) * up}, bf16. */
  void gated(FeedForwardVariant.Activation activation, long gateUp, long to, int size, int rows) {
    params
        .reset()
        .address(gateUp)
        .address(gateUp + (long) size * Float.BYTES)
        .address(to)
        .int32(rows)
        .int32(size)
        .int32(2 * size);
    launchElements(
        activation == FeedForwardVariant.Activation.SILU ? "gated_silu" : "gated_gelu",
        (long) rows * size);
  }

  /** {@code to[i] = x[wanted[i]]}, rows of float32. */
  void gatherRows(long x, long wanted, long to, int size, int rows) {
    params.reset().address(x).address(wanted).address(to).int32(size);
    launch("gather_rows", rows, 1, ROW_THREADS, 0);
  }

  /** {@code ids[row]} = the first of the row's largest; -1 when that is no finite number. */
  void argmax(long logits, long ids, int size, int rows) {
    params.reset().address(logits).address(ids).int32(size);
    launch("argmax", rows, 1, ARGMAX_THREADS, 0);
  }

  /** Lays weights out for the products, from rows as in the model's file. */
  void repack(WeightType type, long from, long to, int rows, int columns) {
    params.reset().address(from).address(to).int32(rows).int32(columns);
    launch(MatmulShape.repack(type, rows, columns));
  }

  /**
   * From now on products of many tokens run by {@link MatmulShape#wgmma}.
   *
   * @param packed device memory for the largest input, packed
   */
  void useWgmma(long packed) {
    packTo(packed);
    usesWgmma = true;
  }

  /**
   * From now on products can be asked to run by {@link MatmulShape#wgmma}; for measurements on
   * devices where it gives other bits.
   *
   * @param packed device memory for the largest input, packed
   */
  void packTo(long packed) {
    packedInput = packed;
  }

  /** Whether products can run by {@link MatmulShape#wgmma}. */
  boolean canPack() {
    return packedInput != 0;
  }

  /** Whether a variant gives the bits that are promised. */
  boolean hasFamilyBits(MatmulVariant other) {
    return other.cut() == null && (usesWgmma || !other.isPacked());
  }

  /** What computes a product unless {@link #vary} says otherwise. */
  MatmulVariant kernelOf(CudaMatrix matrix, int tokens) {
    final boolean isPacked = usesWgmma(matrix, tokens);
    return new MatmulVariant(
        isPacked
            ? MatmulShape.wgmma(matrix.type(), matrix.rows(), matrix.columns(), tokens)
            : MatmulShape.product(matrix.type(), matrix.rows(), matrix.columns(), tokens),
        isPacked,
        null);
  }

  /** From now on products and norms run so; for measurements. */
  void vary(StepVariant other) {
    variant = other;
  }

  /** Products of one input, side by side in rows of {@code out}. */
  void products(CudaProducts products, long x, long out, int tokens) {
    boolean isPacked = false;
    for (CudaProducts.Part part : products.parts()) {
      if (!isPacked) isPacked = packFor(part.matrix(), x, tokens);
      final long to = out + (long) part.offset() * Float.BYTES;
      multiply(part.matrix(), x, part.bias(), to, products.width(), tokens, false);
    }
  }

  /**
   * {@code out[token] = matrix x[token]}, float32.
   *
   * @param x bf16 [tokens][columns]
   * @param adds whether to what {@code out} holds
   */
  void product(CudaMatrix matrix, long x, long out, int outStride, int tokens, boolean adds) {
    packFor(matrix, x, tokens);
    multiply(matrix, x, 0, out, outStride, tokens, adds);
  }

  private boolean usesWgmma(CudaMatrix matrix, int tokens) {
    return usesWgmma && MatmulShape.suitsWgmma(matrix.rows(), tokens, driver.multiprocessorCount());
  }

  /** Packs the input where the matrix is multiplied by wgmma; returns whether it is. */
  private boolean packFor(CudaMatrix matrix, long x, int tokens) {
    if (!usesWgmma(matrix, tokens)) return false;
    pack(x, packedInput, matrix.columns(), tokens);
    return true;
  }

  /** By the kernel that suits; an input for wgmma has been packed. */
  private void multiply(
      CudaMatrix matrix, long x, long bias, long out, int outStride, int tokens, boolean adds) {
    final MatmulVariant.Choice choice = variant.products();
    final MatmulVariant chosen = choice == null ? null : choice.of(matrix, tokens);
    if (chosen != null && bias == 0) {
      product(chosen, matrix, x, out, outStride, tokens, adds);
      return;
    }
    final MatmulVariant family = kernelOf(matrix, tokens);
    final long from = family.isPacked() ? packedInput : x;
    product(family.shape(), matrix, from, bias, out, outStride, tokens, adds);
  }

  /**
   * {@code out[token] = matrix x[token]} by any variant.
   *
   * @param x bf16 [tokens][columns]
   * @throws IllegalArgumentException when blocks share outputs that have others beside them
   */
  void product(
      MatmulVariant variant,
      CudaMatrix matrix,
      long x,
      long out,
      int outStride,
      int tokens,
      boolean adds) {
    if (variant.isShared() && !adds) {
      if (outStride != matrix.rows()) {
        throw new IllegalArgumentException("rows of other outputs would become zeros");
      }
      stream.fill(out, (byte) 0, (long) tokens * outStride * Float.BYTES);
    }
    if (variant.isPacked()) pack(x, packedInput, matrix.columns(), tokens);
    final long from = variant.isPacked() ? packedInput : x;
    productParams(matrix, from, 0, out, 0, 0, outStride, tokens, adds);
    variant.addTo(params);
    launch(variant.shape());
  }

  /** Packs {@code x} as {@link MatmulShape#wgmma} takes it. */
  void pack(long x, long to, int columns, int tokens) {
    params.reset().address(x).address(to).int32(columns).int32(tokens);
    launch(MatmulShape.pack(columns, tokens));
  }

  /**
   * {@code out[token] = matrix x[token] + bias} by the kernel of that shape.
   *
   * @param x as the kernel takes it
   * @param bias 0 for none
   */
  void product(
      MatmulShape shape,
      CudaMatrix matrix,
      long x,
      long bias,
      long out,
      int outStride,
      int tokens,
      boolean adds) {
    product(shape, matrix, x, bias, out, 0, 0, outStride, tokens, adds);
  }

  private void product(
      MatmulShape shape,
      CudaMatrix matrix,
      long x,
      long bias,
      long out,
      long tiles,
      long sources,
      int outStride,
      int tokens,
      boolean adds) {
    productParams(matrix, x, bias, out, tiles, sources, outStride, tokens, adds);
    launch(shape);
  }

  private void productParams(
      CudaMatrix matrix,
      long x,
      long bias,
      long out,
      long tiles,
      long sources,
      int outStride,
      int tokens,
      boolean adds) {
    params
        .reset()
        .address(matrix.address())
        .address(x)
        .address(bias)
        .address(out)
        .address(tiles)
        .address(sources)
        .int32(matrix.rows())
        .int32(matrix.columns())
        .int32(tokens)
        .int32(outStride)
        .int32(adds ? 1 : 0);
  }

  /**
   * {@code out[slot] = matrix of the slot's expert, times x[source of slot]}, float32.
   *
   * @param x bf16 [...][columns]
   * @param sources 0 where rows of {@code x} are slots
   * @param tiles from {@link #groupExperts}
   */
  void expertProduct(
      CudaMatrix stack, long x, long sources, long tiles, long out, int slots, int experts) {
    final MatmulShape shape =
        MatmulShape.expert(stack.type(), stack.rows(), stack.columns(), slots, experts);
    product(shape, stack, x, 0, out, tiles, sources, stack.rows(), slots, false);
  }

  /** Each token's experts, rising, and their shares, from the router's logits. */
  void route(FeedForwardVariant.Experts shape, long logits, long chosen, long shares, int tokens) {
    params
        .reset()
        .address(logits)
        .address(chosen)
        .address(shares)
        .int32(tokens)
        .int32(shape.count())
        .int32(shape.usedCount())
        .int32(shape.renormalises() ? 1 : 0);
    launch("route", Math.ceilDiv(tokens, ROUTE_THREADS / WARP), 1, ROUTE_THREADS, 0);
  }

  /** Slots of the tokens' choices, the slots' tokens, and tiles of slots of one expert each. */
  void groupExperts(
      FeedForwardVariant.Experts shape,
      long chosen,
      long slots,
      long sources,
      long tiles,
      int tokens) {
    final int choices = tokens * shape.usedCount();
    final int warps = Math.clamp(Math.ceilDiv(choices, 2 * WARP), 1, GROUP_WARPS_MAX);
    params
        .reset()
        .address(chosen)
        .address(slots)
        .address(sources)
        .address(tiles)
        .int32(choices)
        .int32(shape.usedCount())
        .int32(shape.count())
        .int32(MatmulShape.tileTokens(choices, shape.count()))
        .int32(MatmulShape.tileCount(choices, shape.count()));
    launch("group_experts", 1, 1, warps * WARP, (warps + 1) * shape.count() * Integer.BYTES);
  }

  /**
   * {@code out[token] = sum of its slots' outputs times their shares}.
   *
   * @param shared float32 [tokens][size], weighed by the sigmoid of {@code sharedGates}; 0 for none
   * @param adds whether to what {@code out} holds
   */
  void combineExperts(
      long outputs,
      long slots,
      long shares,
      long shared,
      long sharedGates,
      long out,
      int size,
      int used,
      int tokens,
      boolean adds) {
    params
        .reset()
        .address(outputs)
        .address(slots)
        .address(shares)
        .address(shared)
        .address(sharedGates)
        .address(out)
        .int32(size)
        .int32(used)
        .int32(adds ? 1 : 0);
    launch("combine_experts", tokens, 1, ROW_THREADS, 0);
  }

  /**
   * Queries to bf16, keys and values to their blocks, behind head norms and rotation.
   *
   * @param pool address of KV block 0
   */
  void rotateStore(
      ModelConfig config,
      KvLayout layout,
      CudaWeights.Layer layer,
      int layerIndex,
      Activations rows,
      CudaStep step,
      RotaryTable angles,
      long pool) {
    params
        .reset()
        .address(rows.queryKeyValue())
        .address(angles.cosines())
        .address(angles.sines())
        .address(layer.queryNorm())
        .address(layer.keyNorm())
        .address(step.positions())
        .address(step.tableStarts())
        .address(step.blocks())
        .address(rows.query())
        .address(pool)
        .int32(config.headCount())
        .int32(config.keyValueHeadCount())
        .int32(config.headSize())
        .int32(config.rotatedSize())
        .int32(config.ropeLayout() == ModelConfig.RopeLayout.INTERLEAVED ? 1 : 0)
        .int32(Math.toIntExact(layout.blockBytes()))
        .int32(Math.toIntExact(layout.keyOffset(layerIndex, 0)))
        .float32(config.rmsNormEpsilon());
    final int heads = config.headCount() + 2 * config.keyValueHeadCount();
    final int blocks = Math.ceilDiv(heads, HEAD_THREADS / WARP);
    launch("rotate_store", step.rowCount(), blocks, HEAD_THREADS, 0);
  }

  private void launch(MatmulShape shape) {
    launch(shape.kernel(), shape.gridX(), shape.gridY(), shape.threads(), shape.sharedBytes());
  }

  private void launchElements(String kernel, long count) {
    final long blocks = Math.ceilDiv(count, ELEMENT_THREADS * ELEMENTS_OF_THREAD);
    launch(kernel, (int) Math.min(blocks, ELEMENT_BLOCKS_MAX), 1, ELEMENT_THREADS, 0);
  }

  private void launch(String kernel, int gridX, int gridY, int threads, int sharedBytes) {
    stream.launch(
        kernels.computeIfAbsent(kernel, driver::kernel),
        gridX,
        gridY,
        threads,
        sharedBytes,
        params.struct());
  }
}
