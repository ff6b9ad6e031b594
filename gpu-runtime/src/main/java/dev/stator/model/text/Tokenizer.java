package dev.stator.model.text;

import java.util.OptionalInt;

/** Text to token ids and back. Immutable: any number of threads may use one. */
public interface Tokenizer {
  /**
   * Whether text such as {@code <|im_end|>} inside the input becomes the special token or stays
   * plain text.
   */
  enum SpecialText {
    PARSED,
    PLAIN
  }

  /** Ids are in {@code [0, vocabularySize)}. */
  int vocabularySize();

  /**
   * The ids of {@code text}. Adds no beginning-of-sequence token: see {@link #beginTokenId} and
   * {@link #addsBeginToken}. Unpaired surrogates are encoded as U+FFFD.
   */
  int[] encode(String text, SpecialText specialText);

  /**
   * The bytes that a token stands for: UTF-8, possibly a part of a character. For a special token
   * its text. Fresh array.
   *
   * @throws IndexOutOfBoundsException when the id is not in the vocabulary
   */
  byte[] tokenBytes(int tokenId);

  /**
   * Whether the token is a control token, such as {@code <|im_end|>}, that no reader should see.
   */
  boolean isSpecial(int tokenId);

  /** The id of a token given by its exact text, special or not. */
  OptionalInt tokenId(String text);

  OptionalInt beginTokenId();

  /** Whether the model expects {@link #beginTokenId} in front of plain prompts. */
  boolean addsBeginToken();

  /** The text of all ids; bytes that are not UTF-8 become U+FFFD. */
  String decode(int[] tokenIds, boolean skipSpecial);

  /** A decoder for one stream. */
  IncrementalDecoder incrementalDecoder(boolean skipSpecial);
}
