package dev.stator.device;

import java.util.List;

/**
 * What one step computes: a slice of each scheduled sequence, a prompt's chunk or one decoded
 * token.
 */
public record StepInput(List<Slice> slices) {
  public StepInput {
    slices = List.copyOf(slices);
  }

  /** All tokens of the step. */
  public int tokenCount() {
    int count = 0;
    for (Slice slice : slices) count += slice.tokenCount();
    return count;
  }

  /**
   * Tokens {@code [start, start + tokenCount)} of a sequence whose keys and values before {@code
   * start} are already in its blocks.
   *
   * @param tokens the whole sequence so far; owned by the engine, unchanged during the step
   * @param start index of the slice's first token, also its position
   * @param blocks block indices by position: token {@code p} lies in {@code blocks[p / blockSize]}
   * @param wantsLogits whether the logits after the slice's last token are needed
   */
  public record Slice(int[] tokens, int start, int tokenCount, int[] blocks, boolean wantsLogits) {}
}
