package dev.stator.device;

/**
 * What a device takes as a step.
 *
 * @param tokensMax of all slices together
 * @param contextLength the longest sequence, in tokens
 * @param blockSize tokens in a block
 * @param hiddenSize values of a hidden state that a slice may want
 */
public record StepLimits(
    int tokensMax,
    int contextLength,
    int blockCount,
    int blockSize,
    int vocabularySize,
    int hiddenSize) {
  /**
   * @throws IllegalArgumentException when a slice is malformed or outside the limits
   */
  public void check(StepInput input) {
    long tokens = 0;
    for (int i = 0; i < input.slices().size(); i++) {
      checkSlice(i, input.slices().get(i));
      tokens += input.slices().get(i).tokenCount();
    }
    if (tokens < 1 || tokens > tokensMax) {
      throw new IllegalArgumentException(
          "a step has " + tokens + " tokens, expected 1 to " + tokensMax);
    }
  }

  private void checkSlice(int index, StepInput.Slice slice) {
    final long end = (long) slice.start() + slice.tokenCount();
    if (slice.tokenCount() < 1)
      throw malformed(index, slice.tokenCount() + " tokens", "at least 1");
    if (slice.start() < 0) throw malformed(index, "start " + slice.start(), "0 or more");
    if (end > contextLength)
      throw malformed(index, "end " + end, "at most the context length " + contextLength);
    if (end > slice.tokens().length) {
      throw malformed(index, "end " + end, "at most its " + slice.tokens().length + " tokens");
    }
    if (slice.pooled() != null && slice.pooled().state().length != hiddenSize) {
      throw malformed(
          index, slice.pooled().state().length + " values to pool to", String.valueOf(hiddenSize));
    }
    final int blocks = (int) ((end + blockSize - 1) / blockSize);
    if (slice.blocks().length < blocks) {
      throw malformed(index, slice.blocks().length + " blocks", "at least " + blocks);
    }
    for (int b = 0; b < blocks; b++) {
      final int block = slice.blocks()[b];
      if (block < 0 || block >= blockCount)
        throw malformed(index, "block " + block, "0 to " + (blockCount - 1));
    }
    for (int i = slice.start(); i < end; i++) {
      final int token = slice.tokens()[i];
      if (token < 0 || token >= vocabularySize) {
        throw malformed(index, "token " + token, "0 to " + (vocabularySize - 1));
      }
    }
  }

  private static IllegalArgumentException malformed(int slice, String found, String expected) {
    return new IllegalArgumentException(
        "slice " + slice + " has " + found + ", expected " + expected);
  }
}
