package dev.stator.device;

import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;

/**
 * What runs a step of the engine: weights and KV blocks in its memory, and the model's forward
 * pass.
 *
 * <p><b>Same request, same bytes.</b> The logits of a position depend on the tokens up to it and on
 * the {@link #numericsFingerprint} alone: not on what else is in the step, nor on how its prompt
 * was cut into steps.
 *
 * <p><b>Threads:</b> one thread, the engine's, calls {@link #run}; a device may use more threads
 * inside. Between runs any one thread may read and write blocks that no sequence of a running step
 * uses.
 */
public interface Device extends AutoCloseable {
  /** For the user: which kernels run, on what. One line. */
  String description();

  /**
   * Equal fingerprints compute equal bits: kernel family, weight and KV formats, weights' identity.
   */
  String numericsFingerprint();

  KvLayout kvLayout();

  int blockCount();

  int vocabularySize();

  /** Values of a hidden state; 0 when the device has none to pool. */
  default int embeddingSize() {
    return 0;
  }

  /** The longest sequence in tokens that a step may touch. */
  int contextLength();

  /**
   * Tokens of a step from which on longer ones are hardly faster by the token, and at most what the
   * device takes: what an engine computes in a step unless its configuration says otherwise. 256:
   * where prompts run at hundreds of tokens a second, longer steps would be felt as stutter.
   */
  default int stepTokensWanted() {
    return 256;
  }

  /**
   * The bytes of a block, {@code kvLayout().blockBytes()} long, valid until {@link #close}.
   * Off-heap.
   *
   * @throws UnsupportedOperationException when the CPU does not address them, and there are {@link
   *     #blockCopies}
   */
  MemorySegment block(int blockIndex);

  /**
   * How to get at blocks that the CPU does not address; {@code null} when {@link #block} gives
   * their bytes.
   */
  default BlockCopies blockCopies() {
    return null;
  }

  /** Where blocks may go when they fall out of the device; {@code null} when nowhere. */
  default HostBlocks hostBlocks() {
    return null;
  }

  /**
   * What the KV blocks lie in, as the allocator made it; {@code null} when no allocator was asked.
   */
  default KvMemory kvMemory() {
    return null;
  }

  /**
   * Computes the tokens of all slices: writes their keys and values into their blocks, and logits
   * where wanted.
   *
   * @return valid until the next run
   */
  StepOutput run(StepInput input);

  /** The memory this device has taken, as a sum. */
  MemoryPlan memoryPlan();

  @Override
  void close();
}
