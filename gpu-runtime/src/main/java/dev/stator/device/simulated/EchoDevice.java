package dev.stator.device.simulated;

/**
 * A device that answers with the prompt: its tokens from the first on, then an end token.
 *
 * <p>A device sees tokens, not where the prompt ends, so what it finds in the blocks must tell: the
 * longest start of the sequence that is also its end (shorter than the sequence) is taken for the
 * answer so far. That is exact for every prompt that does not itself end with its own start, such
 * as any that begins with a token that occurs once; of the others, the answer may begin further on.
 */
public final class EchoDevice extends TokenDevice {
  private static final float CERTAIN = 100;

  private final int endTokenId;

  /**
   * @param blockCount KV blocks
   * @param blockSize tokens in a block
   * @param endTokenId what ends the echo
   */
  public EchoDevice(
      int blockCount, int blockSize, int vocabularySize, int contextLength, int endTokenId) {
    super(smallestLayout(blockSize), blockCount, vocabularySize, contextLength);
    if (endTokenId < 0 || endTokenId >= vocabularySize) {
      throw new IllegalArgumentException("end token " + endTokenId + " of " + vocabularySize);
    }
    this.endTokenId = endTokenId;
  }

  @Override
  public String description() {
    return "echo: answers with the prompt";
  }

  @Override
  public String numericsFingerprint() {
    return "echo-1/" + vocabularySize() + "/" + endTokenId + "/" + kvLayout();
  }

  @Override
  float[] logits(int[] blockTable, int length) {
    final int[] tokens = new int[length];
    for (int position = 0; position < length; position++) {
      tokens[position] = read(blockTable, position);
    }
    final int answerLength = longestBorder(tokens);
    final int promptLength = length - answerLength;
    final int next = answerLength < promptLength ? tokens[answerLength] : endTokenId;
    final float[] logits = new float[vocabularySize()];
    if (next >= 0 && next < logits.length) logits[next] = CERTAIN;
    return logits;
  }

  /**
   * The length of the longest proper prefix that is also a suffix: the failure function of D. E.
   * Knuth, J. H. Morris, V. R. Pratt, "Fast Pattern Matching in Strings", 1977.
   */
  private static int longestBorder(int[] tokens) {
    final int[] borders = new int[tokens.length];
    int border = 0;
    for (int i = 1; i < tokens.length; i++) {
      while (border > 0 && tokens[i] != tokens[border]) border = borders[border - 1];
      if (tokens[i] == tokens[border]) border++;
      borders[i] = border;
    }
    return border;
  }
}
