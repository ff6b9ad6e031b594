package dev.stator.device.simulated;

import dev.stator.device.Device;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** What the devices without a model have in common; they differ in what they make of the tokens. */
abstract sealed class TokenDevice implements Device permits SimulatedDevice, EchoDevice {
  private final TokenBlocks blocks;
  private final int vocabularySize;
  private final int contextLength;

  TokenDevice(KvLayout layout, int blockCount, int vocabularySize, int contextLength) {
    if (vocabularySize <= 0) throw new IllegalArgumentException("vocabulary must not be empty");
    if (contextLength <= 0) throw new IllegalArgumentException("context must not be empty");
    this.vocabularySize = vocabularySize;
    this.contextLength = contextLength;
    this.blocks = new TokenBlocks(layout, blockCount);
  }

  /** One layer with one head of one value: the smallest block that holds its tokens. */
  static KvLayout smallestLayout(int blockSize) {
    return new KvLayout(1, 1, 1, KvLayout.KvType.F32, blockSize);
  }

  /** The logits behind the tokens {@code [0, length)} that lie in the blocks. */
  abstract float[] logits(int[] blockTable, int length);

  /** The token at a position, read from its block. */
  final int read(int[] blockTable, int position) {
    return blocks.read(blockTable, position);
  }

  @Override
  public final StepOutput run(StepInput input) {
    for (StepInput.Slice slice : input.slices()) {
      final int end = slice.start() + slice.tokenCount();
      if (slice.start() < 0 || slice.tokenCount() <= 0 || end > contextLength) {
        throw new IllegalArgumentException("tokens " + slice.start() + " to " + end);
      }
      blocks.write(slice);
    }
    final float[][][] logits = new float[input.slices().size()][][];
    for (int i = 0; i < logits.length; i++) {
      final StepInput.Slice slice = input.slices().get(i);
      final int end = slice.start() + slice.tokenCount();
      logits[i] = new float[slice.logitsCount()][];
      for (int row = 0; row < logits[i].length; row++) {
        logits[i][row] = logits(slice.blocks(), end - logits[i].length + row + 1);
      }
    }
    return (sliceIndex, row) -> {
      if (row < 0 || row >= logits[sliceIndex].length) {
        throw new IllegalArgumentException(
            "slice " + sliceIndex + " did not want logits in row " + row);
      }
      return logits[sliceIndex][row];
    };
  }

  @Override
  public final KvLayout kvLayout() {
    return blocks.layout();
  }

  @Override
  public final int blockCount() {
    return blocks.blockCount();
  }

  @Override
  public final int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public final int contextLength() {
    return contextLength;
  }

  @Override
  public final MemorySegment block(int blockIndex) {
    return blocks.block(blockIndex);
  }

  @Override
  public final MemoryPlan memoryPlan() {
    final String what =
        "KV pool: %d blocks of %d B".formatted(blockCount(), kvLayout().blockBytes());
    return new MemoryPlan(List.of(new MemoryPlan.Term(what, blocks.byteSize())));
  }

  @Override
  public final void close() {
    blocks.close();
  }
}
