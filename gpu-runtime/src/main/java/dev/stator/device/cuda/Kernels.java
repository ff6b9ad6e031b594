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
  private static final int WARP = 32;

  private final Driver driver;
  private final Driver.Stream stream;
  private final KernelParams params = new KernelParams(Arena.ofAuto());
  private final Map<String, Driver.Kernel> kernels = new HashMap<>();

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
    norm("rms_norm", x, weight, to, size, epsilon, rows);
  }

  /** {@code to[row] = rmsNorm(x[row]) * weight}, float32; {@code to} may be {@code x}. */
  void normFloats(long x, long weight, long to, int size, float epsilon, int rows) {
    norm("rms_norm_f32", x, weight, to, size, epsilon, rows);
  }

  private void norm(
      String kernel, long x, long weight, long to, int size, float epsilon, int rows) {
    params.reset().address(x).address(weight).address(to).int32(size).int32(size).float32(epsilon);
    launch(kernel, rows, 1, ROW_THREADS, 0);
  }

  /** {@code to += from}. */
  void add(long to, long from, long count) {
    params.reset().address(to).address(from).int32(Math.toIntExact(count));
    launchElements("add_f32", count);
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

  /** Lays weights out for the products, from rows as in the model's file. */
  void repack(WeightType type, long from, long to, int rows, int columns) {
    params.reset().address(from).address(to).int32(rows).int32(columns);
    launch(MatmulShape.repack(type, rows, columns));
  }

  /** Products of one input, side by side in rows of {@code out}. */
  void products(CudaProducts products, long x, long out, int tokens) {
    for (CudaProducts.Part part : products.parts()) {
      final long to = out + (long) part.offset() * Float.BYTES;
      product(part.matrix(), x, part.bias(), to, products.width(), tokens, false);
    }
  }

  /**
   * {@code out[token] = matrix x[token] + bias}, float32.
   *
   * @param x bf16 [tokens][columns]
   * @param bias 0 for none
   * @param adds whether to what {@code out} holds
   */
  void product(
      CudaMatrix matrix, long x, long bias, long out, int outStride, int tokens, boolean adds) {
    params
        .reset()
        .address(matrix.address())
        .address(x)
        .address(bias)
        .address(out)
        .int32(matrix.rows())
        .int32(matrix.columns())
        .int32(tokens)
        .int32(outStride)
        .int32(adds ? 1 : 0);
    launch(MatmulShape.product(matrix.type(), matrix.rows(), matrix.columns(), tokens));
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
