package dev.stator.model.text;

import java.util.Arrays;

/**
 * Decodes tokens to text and holds back the bytes that begin a character, until the rest has come.
 * Decoding everything at once takes the same way, so that both give the same text.
 */
final class StreamDecoder implements IncrementalDecoder {
  private static final byte SPACE = ' ';

  private final Vocabulary vocabulary;
  private final boolean skipSpecial;
  private byte[] pending = new byte[64];
  private int pendingLength;
  private boolean stripsSpace;

  /**
   * @param stripsSpace whether a space that the text begins with is left out
   */
  StreamDecoder(Vocabulary vocabulary, boolean skipSpecial, boolean stripsSpace) {
    this.vocabulary = vocabulary;
    this.skipSpecial = skipSpecial;
    this.stripsSpace = stripsSpace;
  }

  @Override
  public String add(int tokenId) {
    take(tokenId);
    return release(pendingLength - Utf8.unfinishedTail(pending, pendingLength));
  }

  @Override
  public String finish() {
    return release(pendingLength);
  }

  /** Takes a token without a look at what has become certain. */
  void take(int tokenId) {
    final byte[] bytes = vocabulary.bytes(tokenId);
    if (bytes.length == 0 || skipSpecial && vocabulary.isSpecial(tokenId)) return;
    final int start = stripsSpace && bytes[0] == SPACE ? 1 : 0;
    stripsSpace = false;
    final int length = bytes.length - start;
    if (pendingLength + length > pending.length) {
      pending = Arrays.copyOf(pending, Math.max(pending.length * 2, pendingLength + length));
    }
    System.arraycopy(bytes, start, pending, pendingLength, length);
    pendingLength += length;
  }

  private String release(int length) {
    if (length == 0) return "";
    final String text = Utf8.decode(pending, length);
    System.arraycopy(pending, length, pending, 0, pendingLength - length);
    pendingLength -= length;
    return text;
  }
}
