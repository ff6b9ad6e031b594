package dev.stator.device.cuda;

import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.Map;

/**
 * Launches what an {@link AttentionShape.Plan} says, layer by layer.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class AttentionKernels {
  /**
   * What the layers of a step share.
   *
   * @param q device address, [tokens][heads][headSize] bf16, rotated
   * @param pool device address of KV block 0
   * @param blockTable device address of int32 block numbers
   * @param lists device address of the plan's lists, aligned to 16
   * @param out device address, [tokens][heads][headSize] bf16
   * @param partials device address of the memory for partial results, aligned to 16
   * @param blockBytes of a KV block of all layers
   * @param scale of scores
   * @param cap of scores, 0 for none
   */
  record Memory(
      long q,
      long pool,
      long blockTable,
      long lists,
      long out,
      long partials,
      int blockBytes,
      float scale,
      float cap) {}

  private final Driver driver;
  private final int headCount;
  private final int keyValueHeadCount;
  private final int headSize;
  private final KernelParams params;
  private final Map<String, Driver.Kernel> kernels = new HashMap<>();

  /**
   * @param arena of the parameters' memory
   */
  AttentionKernels(Driver driver, int headCount, int keyValueHeadCount, int headSize, Arena arena) {
    this.driver = driver;
    this.headCount = headCount;
    this.keyValueHeadCount = keyValueHeadCount;
    this.headSize = headSize;
    params = new KernelParams(arena);
  }

  /**
   * Attention of one layer.
   *
   * @param keyOffset where the keys of the layer's head 0 begin in a KV block, in bytes
   * @param window positions that a query sees, its own included; {@link Integer#MAX_VALUE} for all
   */
  void run(
      Driver.Stream stream, AttentionShape.Plan plan, Memory memory, int keyOffset, int window) {
    launch(stream, plan.decode(), plan.decodeTilesAt(), memory, keyOffset, window);
    launch(stream, plan.merge(), plan.mergeTilesAt(), memory, keyOffset, window);
    launch(stream, plan.prefill(), plan.prefillTilesAt(), memory, keyOffset, window);
  }

  private void launch(
      Driver.Stream stream,
      AttentionShape.Launch launch,
      int tilesAt,
      Memory memory,
      int keyOffset,
      int window) {
    if (launch == null) return;
    params
        .reset()
        .address(memory.q)
        .address(memory.pool)
        .address(memory.blockTable)
        .address(memory.lists + (long) tilesAt * Integer.BYTES)
        .address(memory.lists)
        .address(memory.out)
        .address(memory.partials)
        .int32(memory.blockBytes)
        .int32(keyOffset)
        .int32(headCount)
        .int32(keyValueHeadCount)
        .int32(headSize)
        .int32(window)
        .float32(memory.scale)
        .float32(memory.cap);
    stream.launch(
        kernels.computeIfAbsent(launch.kernel(), driver::kernel),
        launch.gridX(),
        launch.gridY(),
        launch.threads(),
        launch.sharedBytes(),
        params.struct());
  }
}
