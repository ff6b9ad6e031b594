package dev.stator.testing;

import dev.stator.model.text.IncrementalDecoder;
import dev.stator.model.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/**
 * A tokenizer for tests: token {@code i} is the {@code i}th word of a made-up language; every
 * seventh is a lone half of a two-byte character, the last one is special.
 */
public final class WordTokenizer implements Tokenizer {
  private static final String[] SYLLABLES = {"a", "bo", "ca", "du", "e", " fi", "go", ". "};
  private final int vocabularySize;

  public WordTokenizer(int vocabularySize) {
    this.vocabularySize = vocabularySize;
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public int[] encode(String text, SpecialText specialText) {
    throw new UnsupportedOperationException("tests make tokens");
  }

  @Override
  public byte[] tokenBytes(int tokenId) {
    if (tokenId < 0 || tokenId >= vocabularySize) throw new IndexOutOfBoundsException(tokenId);
    if (isSpecial(tokenId)) return "<end>".getBytes(StandardCharsets.UTF_8);
    if (tokenId % 7 == 6) return new byte[] {(byte) (tokenId % 2 == 0 ? 0xC3 : 0xA9)};
    final String word =
        SYLLABLES[tokenId % SYLLABLES.length] + SYLLABLES[tokenId / SYLLABLES.length % 8];
    return word.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public boolean isSpecial(int tokenId) {
    return tokenId == vocabularySize - 1;
  }

  @Override
  public OptionalInt tokenId(String text) {
    return OptionalInt.empty();
  }

  @Override
  public OptionalInt beginTokenId() {
    return OptionalInt.empty();
  }

  @Override
  public boolean addsBeginToken() {
    return false;
  }

  @Override
  public String decode(int[] tokenIds, boolean skipSpecial) {
    final IncrementalDecoder decoder = incrementalDecoder(skipSpecial);
    final StringBuilder text = new StringBuilder();
    for (int tokenId : tokenIds) text.append(decoder.add(tokenId));
    return text.append(decoder.finish()).toString();
  }

  @Override
  public IncrementalDecoder incrementalDecoder(boolean skipSpecial) {
    return new IncrementalDecoder() {
      private boolean lead; // The first half of a character is waiting for its second.

      @Override
      public String add(int tokenId) {
        if (skipSpecial && isSpecial(tokenId)) return "";
        final byte[] bytes = tokenBytes(tokenId);
        final boolean hadLead = lead;
        lead = bytes.length == 1 && bytes[0] == (byte) 0xC3;
        if (lead) return hadLead ? "\uFFFD" : "";
        if (bytes.length == 1 && bytes[0] == (byte) 0xA9) return hadLead ? "é" : "\uFFFD";
        return (hadLead ? "\uFFFD" : "") + new String(bytes, StandardCharsets.UTF_8);
      }

      @Override
      public String finish() {
        final boolean hadLead = lead;
        lead = false;
        return hadLead ? "\uFFFD" : "";
      }
    };
  }
}
