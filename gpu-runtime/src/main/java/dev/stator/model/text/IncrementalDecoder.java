package dev.stator.model.text;

/**
 * Decodes a stream of tokens so that no half character is ever seen: the texts returned, joined,
 * equal the decoding of all tokens at once. One thread at a time.
 */
public interface IncrementalDecoder {
  /**
   * Takes one token; returns the text that is now certain, often empty within a multi-byte
   * character.
   */
  String add(int tokenId);

  /** Ends the stream; returns what was still held back, broken bytes as U+FFFD. */
  String finish();
}
