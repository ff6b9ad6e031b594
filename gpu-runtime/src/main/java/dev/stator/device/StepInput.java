package dev.stator.device;

import dev.stator.model.Pooling;
import java.util.Arrays;
import java.util.List;

/**
 * What one step computes: a slice of each scheduled sequence, a prompt's chunk or one decoded token
 * with drafts of those that may follow it.
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
   * @param tokens the whole sequence so far, drafts behind it; owned by the engine, unchanged
   *     during the step
   * @param start index of the slice's first token, also its position
   * @param blocks block indices by position: token {@code p} lies in {@code blocks[p / blockSize]}
   * @param logitsCount how many of the slice's last tokens the logits are needed after; 0 for none
   * @param bestSuffices whether {@link StepOutput#best} is all that is asked of the logits unless
   *     it finds none; to ask for all of them may take longer then
   * @param pooled where hidden states go; {@code null} for nowhere. Not together with logits
   */
  public record Slice(
      int[] tokens,
      int start,
      int tokenCount,
      int[] blocks,
      int logitsCount,
      boolean bestSuffices,
      Pooled pooled) {
    public Slice {
      if (logitsCount < 0 || logitsCount > tokenCount) {
        throw new IllegalArgumentException(
            "logits of " + logitsCount + " of " + tokenCount + " tokens");
      }
      if (logitsCount > 0 && pooled != null) {
        throw new IllegalArgumentException("a slice has either logits or pooled hidden states");
      }
    }

    /** A slice all of whose logits may be asked for. */
    public Slice(
        int[] tokens, int start, int tokenCount, int[] blocks, int logitsCount, Pooled pooled) {
      this(tokens, start, tokenCount, blocks, logitsCount, false, pooled);
    }

    /** A slice whose hidden states nobody wants. */
    public Slice(int[] tokens, int start, int tokenCount, int[] blocks, int logitsCount) {
      this(tokens, start, tokenCount, blocks, logitsCount, null);
    }
  }

  /**
   * Takes hidden states, behind the last layer's norm.
   *
   * @param pooling {@link Pooling#MEAN} adds those of all tokens of the slice to {@code state}, in
   *     order; {@link Pooling#LAST} writes that of its last token there
   * @param state {@link Device#embeddingSize} values; the engine's, written during the step
   */
  public record Pooled(Pooling pooling, float[] state) {
    /** Takes in the hidden state that begins at {@code offset}. */
    public void add(float[] states, int offset) {
      if (pooling == Pooling.LAST) Arrays.fill(state, 0f);
      for (int i = 0; i < state.length; i++) state[i] += states[offset + i];
    }
  }
}
